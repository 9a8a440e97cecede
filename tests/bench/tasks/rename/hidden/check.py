import report
import stock

for module in (report, stock):
    assert not hasattr(module, "Item"), f"{module.__name__}.Item is still there"
    assert module.Product is stock.Product
assert stock.Product.__name__ == "Product"
store = stock.Stock()
tea = store.add("tea", 3)
assert isinstance(tea, stock.Product) and store.add("tea", 4) is tea and tea.count == 7
assert report.line.__annotations__["item"] in (stock.Product, "Product")
assert report.line(stock.Product("mug", 2)) == "mug: 2" and stock.Product("x").count == 0
store.add("mug", 1)
assert report.report(store) == "tea: 7\nmug: 1"
assert set(store.items) == {"tea", "mug"}, "the property keeps its name"
print("solved")
