"""The Measures (四川省社会保障卡经办管理办法): their text, and the days and ages they count in."""
