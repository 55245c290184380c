using Broker.Benchmarks.Harness;
using Broker.Benchmarks.Yardsticks;

if (args is [Lab.CeilingArgument]) return await CeilingServer.RunAsync();

BenchmarkOptions options;
try
{
    options = BenchmarkOptions.Parse(args);
}
catch (Exception e) when (e is ArgumentException or FormatException)
{
    await Console.Error.WriteLineAsync($"{e.Message}\n{BenchmarkOptions.Usage}");
    return 2;
}

Scenario[] scenarios = [.. Catalogue.Of(options.Databases).Where(scenario => options.Wants(scenario.Name))];
if (options.List || scenarios.Length == 0)
{
    await Console.Out.WriteLineAsync(string.Join('\n', scenarios.Select(scenario => scenario.Name)));
    return options.List ? 0 : 2;
}

IReadOnlyList<Result> results;
await using (var lab = new Lab(options))
{
    results = await Bench.RunAsync(scenarios, options, lab, Console.Error);
}

Report.WriteTable(results, Console.Out);
await Console.Out.WriteLineAsync();
Report.WriteTargets(results, Console.Out);
if (options.Json is { } path) await Report.WriteJsonAsync(results, options, path);

return results.Any(result => result.Failure is not null) ? 1 : 0;
