"""`/admin/api`: the operations of the gateway as JSON over HTTP, and their description in OpenAPI."""
