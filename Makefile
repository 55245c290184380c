.DEFAULT_GOAL := help
.PHONY: help build test test-all bench run migration format

help: ## Lists the targets.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "%-12s %s\n", $$1, $$2 }'

build: ## Builds everything; warnings are errors.
	dotnet build Broker.sln -c Release -v q

test: ## Runs all suites in their short form.
	dotnet test

test-all: ## Runs the long fault round too; wants root, pgbouncer and faketime.
	dotnet test
	BROKER_FAULTS=long dotnet run -c Release --project tests/Broker.Faults

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
