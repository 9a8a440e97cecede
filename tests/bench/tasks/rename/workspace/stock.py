"""What is in the store room."""


class Item:
    def __init__(self, name, count=0):
        self.name = name
        self.count = count


class Stock:
    def __init__(self):
        self.items = {}

    def add(self, name, count):
        item = self.items.setdefault(name, Item(name))
        item.count += count
        return item
