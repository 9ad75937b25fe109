"""Where photos are decoded: on the gateway's threads, or in processes that may die of them."""
