# Every target sets up what it needs, once; ARGS are handed on: make test ARGS="-k vad", make run ARGS="--repo ~/shop".
# The work is done by mybro/ops/bootstrap (Python's standard library only); PYTHON=... chooses the interpreter.

GROUND = @sh requirements/python.sh -m mybro.ops.bootstrap

.PHONY: help setup demo test lint format bench run trials rust requirements clean metal

help:
	$(GROUND) help

setup demo test lint format bench run trials rust requirements clean:
	$(GROUND) $@ $(ARGS)

# The compute kernels, on a Mac.
metal:
	@$(MAKE) --no-print-directory -C metal
