# What each does is in install.py, so that Windows has it too.
PYTHON ?= $(or $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null \
	&& echo $$p && break; done),python3)
export TORCH_INDEX

.PHONY: run test soak check train gpu clean

run:
	@$(PYTHON) install.py run

test:
	@$(PYTHON) install.py test

soak:
	@$(PYTHON) install.py soak

check:
	@$(PYTHON) install.py check

train:
	@$(PYTHON) install.py train $(ARGS)

gpu:
	@$(PYTHON) install.py gpu

clean:
	@$(PYTHON) install.py clean
