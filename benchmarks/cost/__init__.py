"""What a thousand images cost, and how many machines a day's photos take."""
