"""The office: the Measures' eleven operations, as a system under test meets them."""
