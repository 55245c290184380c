using System.Text.Json.Nodes;
using Broker.Audit;
using Broker.Auth;
using Broker.Storage.Contracts;
using Broker.Tests.App;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Broker.Tests.Auth;

/// <summary>The audit trail, read over HTTP.</summary>
public abstract class AuditSuite(BrokerApp app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private async Task<List<JsonNode>> ReadAsync(string query = "") =>
        [.. (await app.Client.CallAsync("admin", "GET", $"/api/v1/audit?{query}")).Json["items"]!.AsArray().Select(entry => entry!)];

    private static string Line(JsonNode entry) => $"{entry["key"]} {entry["action"]} {entry["workflow"]}/{entry["instance"]} {entry["detail"]}".Trim();

    [Fact]
    public async Task The_trail_lists_every_action_with_its_key()
    {
        await app.Client.RegisterAsync("worker", "audited");
        await app.Client.RegisterAsync("worker", "audited");
        foreach (var id in (string[])["a", "b", "c"]) await app.Client.CallAsync("creator", "POST", "/workflows/audited/instances", $$"""{"id":"{{id}}"}""");
        foreach (var call in (string[])["a/pause", "a/pause", "a/resume", "a/restart", "a/terminate", "a/terminate", "none/pause"])
            await app.Client.CallAsync("manager", "POST", $"/workflows/audited/instances/{call}");
        await app.Client.CallAsync("admin", "POST", "/handlers/b/cancel");
        Assert.Equal(403, (await app.Client.CallAsync("manager", "POST", "/handlers/b/cancel?purge=true")).Status);
        await app.Client.CallAsync("purger", "POST", "/handlers/b/cancel?purge=true");
        await app.Client.CallAsync("reader", "POST", "/handlers/c/cancel");

        var lines = (await ReadAsync("workflow=audited")).Select(Line).Reverse();
        Assert.Equal(
            [
                "worker register audited/ version 1", "creator start audited/a", "creator start audited/b", "creator start audited/c",
                "manager pause audited/a", "manager resume audited/a", "manager restart audited/a", "manager terminate audited/a",
                "admin cancel audited/b", "purger purge audited/b",
            ],
            lines);
    }

    [Fact]
    public async Task The_trail_lists_the_starts_and_registrations_of_each_dialect()
    {
        await app.Client.CallAsync("creator", "POST", "/workflow/dispatch", $$$"""{"workflow":{{{Calls.Definition("dispatched")}}},"inputs":{}}""");
        await app.Client.CallAsync("creator", "POST", "/workflows/dispatched/run-nowait", "{}");
        await app.Client.CallAsync("creator", "POST", "/workflows/dispatched/instances/batch", """{"instances":[{"id":"x"},{"id":"y"}]}""");
        await app.Client.CallAsync("creator", "POST", "/api/workflows/dispatched/run");
        var posted = (await app.Client.CallAsync("creator", "POST", "/api/workflows",
            """{"name":"n","trigger":"manual","jobs":[{"id":"j","name":"j","status":"queued","command":"true","required_labels":[],"depends_on":[],"max_retries":0}]}""")).Json["id"];
        await app.Client.CallAsync("worker", "POST", "/api/workers/register", """{"worker_id":"labelled","labels":[]}""");
        await app.Client.CallAsync("worker", "POST", "/repository/register", """{"name":"repo","url":"u","workflows":[],"credentials":{"token":"hunter2"}}""");

        Assert.Equal(["register", "start", "start", "start", "start", "start"], (await ReadAsync("workflow=dispatched")).Select(entry => entry["action"]!.GetValue<string>()).Order());
        Assert.Equal("creator", Assert.Single(await ReadAsync($"workflow={posted}&action=register"))["key"]!.GetValue<string>());
        Assert.Contains("worker register_worker / labelled", (await ReadAsync("action=register_worker&key=worker")).Select(Line));
        Assert.Equal("worker register_repository / repo", Line(Assert.Single(await ReadAsync("action=register_repository"))));
        Assert.DoesNotContain("hunter2", (await app.Client.CallAsync("admin", "GET", "/api/v1/audit")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_program_itself_registers_the_sample() =>
        Assert.NotEmpty(await ReadAsync("key=broker&action=register"));

    [Fact]
    public async Task Pages_follow_their_cursor()
    {
        await app.Client.RegisterAsync("worker", "paged");
        for (var i = 0; i < 5; i++) await app.Client.CallAsync("creator", "POST", "/workflows/paged/instances", $$"""{"id":"p{{i}}"}""");

        var seen = new List<string>();
        for (var cursor = ""; cursor is not null;)
        {
            var page = (await app.Client.CallAsync("admin", "GET", $"/api/v1/audit?workflow=paged&action=start&limit=2{cursor}")).Json;
            seen.AddRange(page["items"]!.AsArray().Select(entry => entry!["instance"]!.GetValue<string>()));
            cursor = page["next"] is { } next ? $"&cursor={next}" : null;
        }

        Assert.Equal(["p4", "p3", "p2", "p1", "p0"], seen);
        Assert.Empty(await ReadAsync("workflow=paged&since=2999-01-01T00:00:00Z"));
        Assert.Equal(6, (await ReadAsync("workflow=paged&since=2001-01-01T00:00:00Z")).Count);
    }

    [Theory]
    [InlineData("since=yesterday", "since")]
    [InlineData("limit=0", "limit")]
    [InlineData("limit=201", "limit")]
    [InlineData("cursor=x", "cursor")]
    public async Task A_wrong_question_is_a_400_that_names_it(string query, string named)
    {
        var reply = await app.Client.CallAsync("admin", "GET", $"/api/v1/audit?{query}");
        Assert.Equal(400, reply.Status);
        Assert.StartsWith(named, reply.Json["detail"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("reader")]
    [InlineData("limited")]
    public async Task The_audit_trail_is_for_admins(string key) => Assert.Equal(403, (await app.Client.CallAsync(key, "GET", "/api/v1/audit")).Status);

    [Fact]
    public async Task Entries_that_cannot_be_written_are_kept_and_written_later_in_order()
    {
        var store = new FailingStore(app.Services.GetRequiredService<IAuditStore>());
        var trail = new AuditTrail(store, TimeProvider.System);
        await trail.NoteAsync("kept", "failing", "1");
        await trail.RecordAsync("kept", "failing", "2");
        Assert.Empty(await ReadAsync("workflow=failing"));

        store.Works = true;
        await trail.RecordAsync("kept", "failing", "3");
        Assert.Equal(["3", "2", "1"], (await ReadAsync("workflow=failing")).Select(entry => entry["instance"]!.GetValue<string>()));
    }

    [Fact]
    public async Task Retention_removes_what_is_old_unless_it_is_off()
    {
        var store = app.Services.GetRequiredService<IAuditStore>();
        await store.AddAsync(new([new(TimeProvider.System.GetUtcNow() - TimeSpan.FromDays(100), "k", "ancient")]), Ct);

        await new AuditPruning(store, new AuthSettings { AuditRetention = TimeSpan.Zero }, TimeProvider.System, NullLogger<AuditPruning>.Instance).RunOnceAsync(Ct);
        Assert.Single(await ReadAsync("action=ancient"));
        await new AuditPruning(store, new AuthSettings(), TimeProvider.System, NullLogger<AuditPruning>.Instance).RunOnceAsync(Ct);
        Assert.Empty(await ReadAsync("action=ancient"));
        Assert.NotEmpty(await ReadAsync());
    }

    private sealed class FailingStore(IAuditStore store) : IAuditStore
    {
        public bool Works { get; set; }

        public Task AddAsync(AuditBatch batch, CancellationToken ct) => Works ? store.AddAsync(batch, ct) : throw new IOException("away");

        public Task<Page<AuditEntry>> ReadAsync(AuditFilter filter, int limit, CancellationToken ct, bool isBackward = false) => store.ReadAsync(filter, limit, ct, isBackward);

        public Task<int> PruneAsync(DateTimeOffset before, int batch, CancellationToken ct) => store.PruneAsync(before, batch, ct);
    }
}

public sealed class PostgresAuditTests(KeyedPostgresApp app) : AuditSuite(app), IClassFixture<KeyedPostgresApp>;

public sealed class SqliteAuditTests(KeyedSqliteApp app) : AuditSuite(app), IClassFixture<KeyedSqliteApp>;

/// <summary>The trail of a broker without keys: every caller is anonymous.</summary>
public sealed class AnonymousAuditTests(SqliteApp app) : IClassFixture<SqliteApp>
{
    [Fact]
    public async Task Without_keys_every_caller_is_anonymous_and_may_do_everything()
    {
        await app.Client.RegisterAsync("none", "free");
        Assert.Equal(200, (await app.Client.CallAsync(null, "POST", "/workflows/free/instances", "{}")).Status);
        var started = (await app.Client.CallAsync(null, "GET", "/api/v1/audit?workflow=free&action=start")).Json["items"]!.AsArray();
        Assert.Equal("anonymous", Assert.Single(started)!["key"]!.GetValue<string>());
    }
}
