# What each does is in install.py, so that Windows has it too.
PYTHON ?= python3
export TORCH_INDEX

.PHONY: run test check gpu train

run:
	@$(PYTHON) install.py run

test:
	@$(PYTHON) install.py test

check:
	@$(PYTHON) install.py check

gpu:
	@$(PYTHON) install.py gpu

train:
	@$(PYTHON) install.py train
