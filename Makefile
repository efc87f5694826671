# make run: from nothing to a page in the browser. make test: everything the tests need,
# then the tests. Both may be run again at any time.
PYTHON ?= python3
BIN = .venv/bin
THEME = imagevault/theme/static_src

.PHONY: run setup test check css css-check lock messages

run: setup
	@$(BIN)/python manage.py serve

# Installs and migrates; starts nothing but the compiling that a first search waits for.
setup: .venv/installed
	@$(BIN)/python manage.py setup_vault
	@nohup nice $(BIN)/python -m dedup.warming >/dev/null 2>&1 &

.venv/installed: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "imagevault needs Python 3.11 or newer; set PYTHON=python3.x")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements.txt
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements-dev.txt
	@touch $@

test: .venv/installed-dev
	@$(BIN)/python -m tests

# What needs no database: style, types, templates.
check: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

css: $(THEME)/node_modules
	cd $(THEME) && npm run build

$(THEME)/node_modules: $(THEME)/package-lock.json
	cd $(THEME) && npm ci --ignore-scripts
	@touch $@

# The committed style sheets and scripts are what their sources give.
css-check: css
	git add --intent-to-add imagevault/theme/static
	git diff --exit-code --stat -- imagevault/theme/static

# Lock without naming a package index.
COMPILE = uv pip compile --generate-hashes --universal --python-version 3.11 --no-emit-index-url --no-header --no-annotate -q pyproject.toml
lock:
	$(COMPILE) -o requirements.txt
	$(COMPILE) --extra dev -c requirements.txt -o requirements-dev.txt

# Gather the texts to translate and compile the translations; needs GNU gettext.
messages: .venv/installed-dev
	$(BIN)/python manage.py makemessages --locale de --no-obsolete --no-wrap --add-location never --ignore '.venv/*' --ignore 'tests/*' --ignore 'bench/*' --ignore '*/node_modules/*'
	$(BIN)/python manage.py compilemessages --locale de --ignore '.venv/*'
