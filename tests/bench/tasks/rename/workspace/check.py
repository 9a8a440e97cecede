import report
import stock

assert not hasattr(stock, "Item"), "stock.Item is still there"
assert not hasattr(report, "Item"), "report.Item is still there"
store = stock.Stock()
assert isinstance(store.add("tea", 3), stock.Product)
assert report.line.__annotations__["item"] in (stock.Product, "Product")
assert report.report(store) == "tea: 3"
