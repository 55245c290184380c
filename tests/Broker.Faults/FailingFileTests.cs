using System.Globalization;
using Broker.Faults.Harness;
using Broker.Testing;
using Microsoft.Data.Sqlite;
using Xunit;

namespace Broker.Faults;

/// <summary>The SQLite file in trouble: held by another process, on a full disk, and as a power cut leaves it.</summary>
public sealed class FailingFileTests(DurableCluster cluster)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_broker_recovers_after_another_process_held_the_write_lock()
    {
        using var folder = new TempFolder();
        var path = Path.Combine(folder.Path, "broker.db");
        await using var site = await Site.OpenAsync(Database.Sqlite, cluster.Postgres, new SiteOptions { SqlitePath = path });
        await using var other = await OpenAsync(path);
        await new Outage
        {
            Name = "locked file",
            Begin = _ => RunAsync(other, "BEGIN IMMEDIATE"),
            Lift = _ => RunAsync(other, "ROLLBACK"),
        }.SurviveAsync(site);
    }

    [Fact]
    public async Task The_broker_recovers_after_the_disk_was_full()
    {
        using var disk = SmallDisk.Mount(24, owner: 0);
        await using var site = await Site.OpenAsync(Database.Sqlite, cluster.Postgres, new SiteOptions { SqlitePath = Path.Combine(disk.Path, "broker.db") });
        await new Outage
        {
            Name = "full disk",
            Begin = _ =>
            {
                Effort.Print(string.Create(CultureInfo.InvariantCulture, $"{disk.Fill() / 1024} kB filled"));
                return Task.CompletedTask;
            },
            Lift = _ =>
            {
                disk.Free();
                return Task.CompletedTask;
            },
        }.SurviveAsync(site);
    }

    /// <summary>
    /// The files at one instant, with half a page behind the log's end, as after a power cut during a write. A broker that opens them finds
    /// every report that was answered by then.
    /// </summary>
    [Fact]
    public async Task The_power_goes_while_it_writes()
    {
        using var folder = new TempFolder();
        var path = Path.Combine(folder.Path, "broker.db");
        var images = new List<(string Path, List<(StepName Step, string Token)> Accepted)>();
        await using (var site = await Site.OpenAsync(Database.Sqlite, cluster.Postgres, new SiteOptions { SqlitePath = path }))
        await using (var load = await Load.StartAsync(site, 8, overstayEvery: 0, Ct))
        {
            load.Feed(200);
            for (var i = 0; i < Effort.Of(2, 20); i++)
            {
                await load.MoreAsync(Random.Shared.Next(100, 200));
                site.Broker.Freeze();
                var accepted = load.Ledger.Accepted.SelectMany(a => a.Value.Select(token => (a.Key, token))).ToList();
                var image = Path.Combine(folder.Path, $"image-{i}.db");
                File.Copy(path, image);
                File.Copy(path + "-wal", image + "-wal");
                site.Broker.Thaw();
                await using (var log = new FileStream(image + "-wal", FileMode.Append)) await log.WriteAsync(new byte[2_000], Ct);
                images.Add((image, accepted));
            }

            await load.EndAsync(Ct);
        }

        foreach (var (image, accepted) in images)
        {
            await using var site = await Site.OpenAsync(Database.Sqlite, cluster.Postgres, new SiteOptions { SqlitePath = image });
            var kept = new Dictionary<StepName, string?>();
            foreach (var run in accepted.Select(a => a.Step.Run).Distinct())
            {
                foreach (var (name, token) in await Load.StepsAsync(site.Http, run, Ct)) kept[name] = token;
            }

            Assert.All(accepted, a => Assert.Equal(a.Token, kept.GetValueOrDefault(a.Step)));
            await using var check = await OpenAsync(image);
            await using var integrity = new SqliteCommand("PRAGMA integrity_check", check);
            Assert.Equal("ok", await integrity.ExecuteScalarAsync(Ct));
            Effort.Print(string.Create(CultureInfo.InvariantCulture, $"power cut after {accepted.Count} accepted reports: all kept, integrity ok"));
        }
    }

    private static async Task<SqliteConnection> OpenAsync(string path)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false }.ConnectionString);
        await connection.OpenAsync(Ct);
        return connection;
    }

    private static async Task RunAsync(SqliteConnection connection, string sql)
    {
        await using var command = new SqliteCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Ct);
    }
}
