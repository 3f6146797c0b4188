"""The joins: the only room that knows both houses, and the only one that may speak NCIP and ISO 18626."""
