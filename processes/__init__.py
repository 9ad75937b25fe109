"""How this project runs a server as a child process: started, awaited, stopped with its tree."""
