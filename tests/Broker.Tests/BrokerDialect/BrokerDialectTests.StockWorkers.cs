using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;
using Xunit;

namespace Broker.Tests.BrokerDialect;

/// <summary>Unmodified workers (broker contract 6) run whole workflows.</summary>
public abstract partial class BrokerDialectTests
{
    [Fact]
    public async Task Four_stock_workers_run_fifty_branching_instances_each_step_exactly_once()
    {
        const int instances = 50, workers = 4;
        var schema = Flows.Branching(Flows.NewName("fifty"));
        var numbers = new Dictionary<string, int>(instances);
        for (var n = 0; n < instances; n++)
            numbers[await Wire.DispatchAsync(schema, string.Create(CultureInfo.InvariantCulture, $$"""{"n":{{n}}}"""))] = n;
        var ran = new ConcurrentQueue<StockCall>();
        var ends = new ConcurrentDictionary<string, (string, int)>();

        var counts = await Task.WhenAll(Enumerable.Range(0, workers).Select(_ => new StockWorker(Client, [schema], call =>
        {
            ran.Enqueue(call);
            if (call.Step == "end") ends[call.Instance] = ((string)call.Results["join"]!, (int)call.Results["side"]!);
            return RunBranching(call);
        }).WorkAsync()));

        Assert.Equal(instances * 5, counts.Sum());
        foreach (var (instance, n) in numbers)
        {
            var taken = BranchOf(n);
            Assert.Equal(
                new[] { "end", "join", "side", "split", taken }.Order(StringComparer.Ordinal),
                ran.Where(c => c.Instance == instance).Select(c => c.Step).Order(StringComparer.Ordinal));
            Assert.Equal(($"{taken} {n}", n * 2), ends[instance]);
        }
    }

    [Fact]
    public async Task A_skipped_step_and_a_step_without_a_result_do_not_stop_a_stock_worker()
    {
        var schema = Flows.Chain(Flows.NewName("nothing"), 3);
        await Wire.DispatchAsync(schema);
        var steps = new List<string>();

        var count = await new StockWorker(Client, [schema], call =>
        {
            steps.Add(call.Step);
            return call.Step == "step1" ? StockResult.Skipped : StockResult.Ok(null);
        }).WorkAsync();

        Assert.Equal(3, count);
        Assert.Equal(["step0", "step1", "step2"], steps);
    }

    [Fact]
    public async Task A_step_that_throws_ends_its_path_and_the_worker_goes_on()
    {
        var schema = Flows.Chain(Flows.NewName("throws"), 3);
        var (bad, good) = (await Wire.DispatchAsync(schema, """{"fail":true}"""), await Wire.DispatchAsync(schema));
        var ran = new List<(string, string)>();

        await new StockWorker(Client, [schema], call =>
        {
            ran.Add((call.Instance, call.Step));
            return call.Step == "step1" && call.Inputs.ContainsKey("fail") ? throw new InvalidOperationException("as told") : StockResult.Ok(1);
        }).WorkAsync();

        Assert.Equal([(bad, "step0"), (bad, "step1"), (good, "step0"), (good, "step1"), (good, "step2")], ran);
    }

    private static string BranchOf(int n) => (n % 3) switch
    {
        0 => "left",
        1 => "right",
        _ => "other",
    };

    private static StockResult RunBranching(StockCall call)
    {
        var n = (int)call.Inputs["n"]!;
        return StockResult.Ok(call.Step switch
        {
            "split" => BranchOf(n),
            "side" => n * 2,
            "join" => call.Results["left"]!.DeepClone(),
            "end" => null,
            var branch => JsonValue.Create(string.Create(CultureInfo.InvariantCulture, $"{branch} {n}")),
        });
    }
}
