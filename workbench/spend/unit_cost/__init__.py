"""What a request and a unit of success cost, and which prompt version is the dearer."""
