using System.Globalization;
using Broker.Commands;
using Broker.Testing;
using Broker.Tests.BrokerDialect;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;

namespace Broker.Tests.Operations;

/// <summary>The owner migrates, a role with the documented grants runs the broker.</summary>
public sealed class RunRoleTests(PostgresCluster cluster)
{
    private const string Documented = "broker_run";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_broker_works_with_the_documented_grants_and_no_more()
    {
        PostgresCluster.Require();
        var owner = await cluster.CreateEmptyDatabaseAsync();
        var role = string.Create(CultureInfo.InvariantCulture, $"{Documented}_{Environment.ProcessId}");
        try
        {
            using var said = new StringWriter();
            Assert.Equal(0, await CommandLine.RunAsync(["migrate", $"--DATABASE_URL={owner}"], said, said));
            Assert.StartsWith("Applied ", said.ToString(), StringComparison.Ordinal);

            await ExecuteAsync(owner, $"CREATE ROLE {role} LOGIN PASSWORD 'run'");
            var grants = await File.ReadAllTextAsync(Path.Combine(RepositoryLayout.Root, "src", "Broker.Storage", "Postgres", "run-role.sql"), Ct);
            await ExecuteAsync(owner, grants.Replace(Documented, role, StringComparison.Ordinal));
            await ServeAsync(PostgresCluster.As(owner, role, "run"));
        }
        finally
        {
            await cluster.DropAsync(PostgresCluster.As(owner, role, "run"));
            var admin = new NpgsqlConnectionStringBuilder(owner) { Database = "postgres", Pooling = false }.ConnectionString;
            await ExecuteAsync(admin, $"DROP ROLE IF EXISTS {role}");
        }
    }

    private static async Task ServeAsync(string connectionString)
    {
        using var workflows = new TempFolder();
        var (app, _, problem) = BrokerHost.Create(
            [
                $"--DATABASE_URL={connectionString}", "--PORT=0", "--HOST=127.0.0.1", $"--WORKFLOWS_DIR={workflows.Path}", "--Broker:MigrateAtStart=false",
                "--Serilog:MinimumLevel:Default=Warning",
            ]);
        Assert.Null(problem);
        await using var broker = app!;
        await broker.StartAsync(Ct);
        using var client = new HttpClient { BaseAddress = new Uri(broker.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()) };
        var wire = new Wire(client);
        Assert.Equal(200, (await wire.GetAsync("/readyz")).Status);

        // One row of each kind: definitions, workers, runs, steps, events, the inbox, lines, repositories, and their removal.
        var name = Flows.NewName("low");
        var worker = await wire.RegisterAsync(Flows.Single(name));
        var id = await wire.DispatchAsync(Flows.Single(name), """{"n":1}""");
        var step = await wire.MustClaimAsync(worker);
        Assert.Equal(200, (await wire.PostAsync($"/api/workflows/workflows/{name}/instances/{id}/events", """{"type":"go","payload":1}""")).Status);
        Assert.Equal(204, (await wire.ReportAsync(worker, step, "SUCCEEDED", "1", ",\"logs\":[{\"message\":\"line\"}]")).Status);
        Assert.Equal(200, (await wire.GetAsync($"/results/{id}")).Status);
        Assert.Equal(200, (await wire.GetAsync($"/api/workflows/workflows/{name}/instances/{id}/history")).Status);
        Assert.Equal(200, (await wire.GetAsync($"/api/v1/runs/{name}/{id}/steps/{step.GetProperty("step_name").GetString()}")).Status);
        Assert.Equal(200, (await wire.GetAsync("/metrics")).Status);
        Assert.Equal(200, (await wire.PostAsync("/api/workers/register", """{"worker_id":"w","labels":["x"]}""")).Status);
        Assert.Equal(200, (await wire.GetAsync("/api/workers")).Status);
        var removed = 0;
        Storage.Contracts.RetentionRound round;
        do
        {
            round = await broker.Services.GetRequiredService<Storage.Contracts.IRetention>().RemoveEndedAsync(Storage.Contracts.RetentionTimes.Of(TimeSpan.FromTicks(1)), Ct);
            removed += round.Removed;
        }
        while (!round.Finished);
        Assert.Equal(1, removed);
        Assert.Equal(404, (await wire.GetAsync($"/results/{id}")).Status);

        var refusal = await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(connectionString, "ALTER TABLE run ADD COLUMN more int"));
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refusal.SqlState);
        refusal = await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(connectionString, "DELETE FROM \"__EFMigrationsHistory\""));
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refusal.SqlState);
        refusal = await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(connectionString, "CREATE TABLE more (n int)"));
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refusal.SqlState);
        await broker.StopAsync(Ct);
    }

    private static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(Ct);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Ct);
    }
}
