# Two commands: `make demo` and `make test`. Each does all set-up; Python 3.11 or newer is all they need.
.PHONY: demo test check setup assets

UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
RUN := $(UV) run --no-sync

demo: setup
	$(RUN) panhuo demo demo

test: setup
	$(UV) sync --quiet --frozen --all-extras
	sh tests/system_packages.sh
	$(RUN) pytest -n 2

check: setup
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(RUN) lint-imports
	$(RUN) panhuo law check

# The site's scripts, rebuilt from pinned npm packages; the result is committed, so running needs no node.
assets:
	npm ci --ignore-scripts --no-audit --no-fund
	npm run check
	npm run build

setup: $(UV)
	$(UV) sync --quiet --frozen

.uv/bin/uv:
	python3 -m venv .uv || python3 -m pip install --quiet --target .uv/lib uv
	if [ -x .uv/bin/python ]; then .uv/bin/python -m pip install --quiet uv; else mkdir -p .uv/bin && ln -s ../lib/bin/uv .uv/bin/uv; fi

$(filter-out .uv/bin/uv,$(UV)):

.PHONY: bench bench-small bench-parts

# Everything measured again, docs/benchmarks rewritten: three quarters of an hour on two idle cores. Small: a smoke test in a minute or two.
bench: setup bench-parts
	$(RUN) python -m benchmarks

bench-small: setup bench-parts
	$(RUN) python -m benchmarks --small

bench-parts: setup
	$(UV) sync --quiet --frozen --all-groups --all-extras
	sh tests/system_packages.sh
