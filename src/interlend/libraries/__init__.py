"""The tenants and their people: library, branch, open hours, staff members and their roles."""
