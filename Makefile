.DEFAULT_GOAL := help
.PHONY: help build test suites faults test-all bench run migration format

# Options of dotnet test; CI adds --no-build.
TEST = -c Release

help: ## Lists the targets.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "%-12s %s\n", $$1, $$2 }'

build: ## Builds everything; warnings are errors.
	dotnet build Broker.sln -c Release -v q

test: suites faults ## Runs all suites in their short form.

suites: ## Runs the core, storage, HTTP and worker suites side by side.
	dotnet test --solution tests/Suites.slnf $(TEST)

faults: ## Runs the fault tests, which take both cores, by themselves.
	dotnet test --project tests/Broker.Faults $(TEST)

test-all: ## Runs all suites in their long form, in hours; wants root, pgbouncer and faketime.
	BROKER_FAULTS=long $(MAKE) test

bench: ## Measures every scenario on both databases, in 15 minutes.
	dotnet run -c Release --project tests/Broker.Benchmarks -- --json bench.json

run: ## Starts a broker on http://localhost:3000.
	dotnet run --project src/Broker

migration: ## Writes a migration for each engine: make migration NAME=AddSomething
	dotnet tool restore
	dotnet build src/Broker.Storage -c Release -v q
	for engine in Postgres Sqlite; do \
		dotnet ef migrations add $(NAME) --project src/Broker.Storage --context $${engine}Db \
			--output-dir Migrations/$$engine --configuration Release --no-build || exit 1; \
	done

format: ## Formats the sources.
	dotnet format Broker.sln
