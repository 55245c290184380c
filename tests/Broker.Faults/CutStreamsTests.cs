using System.Globalization;
using Broker.Faults.Harness;
using Xunit;

namespace Broker.Faults;

/// <summary>Readers of a live log whose connections are cut again and again, and a broker that is killed. Each reader resumes with its last id.</summary>
public sealed class CutStreamsTests(DurableCluster cluster)
{
    private static readonly TimeSpan WaitLimit = TimeSpan.FromSeconds(300);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_reader_sees_every_line_once_and_in_order()
    {
        var (readers, lines, chunk) = (Effort.Of(16, 200), Effort.Of(2_000, 200_000), Effort.Of(50, 500));
        await using var site = await Site.OpenAsync(Database.Postgres, cluster.Postgres);
        var workflow = await site.Http.DefineAsync(Ct, Wire.Job("one", "true"));
        await site.Http.MustPostAsync($"/api/workflows/{workflow}/run", "", Ct);
        var claimed = await site.Http.MustPostAsync("/api/jobs/claim", """{"worker_id":"w","labels":[],"lease_ttl_secs":3600}""", Ct);
        var lease = (string)claimed["lease"]!["lease_id"]!;
        var path = new Uri(site.Broker.Address, $"api/workflows/{workflow}/jobs/one/logs/stream");
        var reading = Enumerable.Range(0, readers).Select(i => new Reader(path, lines - 1, i)).ToList();
        var all = reading.ConvertAll(r => Task.Run(() => r.RunAsync(Ct), Ct));

        var (again, restarted) = (0, false);
        for (var from = 0; from < lines; from += chunk)
        {
            // In the midst of them the broker is killed, while readers read and this chunk is on its way.
            var kill = !restarted && from >= lines / 2 ? RestartAsync(site) : Task.CompletedTask;
            restarted = from >= lines / 2;
            again += await PushAsync(site.Http, $"/api/jobs/{lease}/logs", workflow, from, chunk);
            await kill;
        }

        await Task.WhenAll(all).WaitAsync(WaitLimit, Ct);

        // A chunk that was sent again after its answer was lost may stand there twice: the stored lines count.
        var kept = (string)(await site.SqlAsync($"SELECT string_agg(sequence::text, ',' ORDER BY id) FROM log WHERE workflow = '{workflow}'"))!;
        var expected = kept.Split(',').Select(n => int.Parse(n, CultureInfo.InvariantCulture)).ToList();
        Assert.Equal(Enumerable.Range(0, lines), expected.Distinct().Order());
        var seen = expected[..(expected.IndexOf(lines - 1) + 1)];
        Assert.All(reading, r => Assert.True(r.Lines.SequenceEqual(seen), $"{r.Lines.Count} lines were read, {seen.Count} are kept"));
        Assert.All(reading, r => Assert.True(r.Connections > 1));
        Effort.Print(string.Create(
            CultureInfo.InvariantCulture,
            $"{readers} readers, {lines} lines, {reading.Sum(r => r.Connections)} connections, one broker killed, {again} attempts to send chunks broke: 0 missing, 0 repeated"));
    }

    private static async Task RestartAsync(Site site)
    {
        await site.Broker.KillAsync();
        await site.Broker.RestartAsync();
    }

    private static async Task<int> PushAsync(HttpClient http, string path, string workflow, int from, int count)
    {
        var chunks = string.Join(',', Enumerable.Range(from, count).Select(n =>
            $$"""{"workflow_id":"{{workflow}}","job_id":"one","sequence":{{n}},"data":"line {{n}}","timestamp_ms":1,"stream":"stdout"}"""));
        for (var again = 0; ; again++)
        {
            try
            {
                var (status, _) = await http.PostAsync(path, $$"""{"chunks":[{{chunks}}]}""", Ct);
                if ((int)status < 500)
                {
                    Assert.Equal(200, (int)status);
                    return again;
                }
            }
            catch (HttpRequestException)
            {
                // The broker is being restarted.
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Ct);
        }
    }

    private sealed class Reader(Uri path, int last, int seed)
    {
        private readonly Random random = new(seed);

        public List<int> Lines { get; } = [];

        public int Connections { get; private set; }

        public async Task RunAsync(CancellationToken ct)
        {
            using var http = new HttpClient();
            var seen = "";
            while (Lines.Count == 0 || Lines[^1] != last)
            {
                var room = Connections == 0 ? 5 : random.Next(last / 6, last / 2);
                try
                {
                    using var request = new HttpRequestMessage(HttpMethod.Get, path);
                    if (seen.Length > 0) request.Headers.Add("Last-Event-ID", seen);
                    using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
                    answer.EnsureSuccessStatusCode();
                    Connections++;
                    seen = await ReadAsync(await answer.Content.ReadAsStreamAsync(ct), seen, room, ct);
                }
                catch (Exception cut) when (cut is HttpRequestException or IOException)
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(random.Next(10, 60)), TimeProvider.System, ct);
                }
            }
        }

        // A search for the text replaces a parser, which took most of the time for the forty million events of the long form.
        private static int NumberOf(string data)
        {
            const string Name = "\"sequence\":";
            var digits = data.AsSpan(data.IndexOf(Name, StringComparison.Ordinal) + Name.Length);
            return int.Parse(digits[..digits.IndexOfAny(',', '}')], CultureInfo.InvariantCulture);
        }

        // An event counts once it is whole; its content counts only together with its id.
        private async Task<string> ReadAsync(Stream stream, string seen, int room, CancellationToken ct)
        {
            using var reader = new StreamReader(stream);
            var (id, data) = ("", "");
            try
            {
                while (room > 0 && await reader.ReadLineAsync(ct) is { } line)
                {
                    if (line.StartsWith("id:", StringComparison.Ordinal))
                    {
                        id = line[3..].Trim();
                    }
                    else if (line.StartsWith("data:", StringComparison.Ordinal))
                    {
                        data = line[5..];
                    }
                    else if (line.Length == 0 && data.Length > 0)
                    {
                        Lines.Add(NumberOf(data));
                        (seen, data) = (id, "");
                        room--;
                        if (Lines[^1] == last) break;
                    }
                }
            }
            catch (IOException)
            {
                // The connection was cut: the next one goes on behind the last id.
            }

            return seen;
        }
    }
}
