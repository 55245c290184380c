using System.Text.Json;
using Broker.Core.Definitions;
using Xunit;

namespace Broker.Core.Tests.Definitions;

/// <summary>
/// Cost of reading, as a ratio of processor times, with no other test running. Other programs add nothing to processor time. On a busy
/// machine the same reading took 1.05 s, on a quiet one 0.3 s (10,000 steps).
/// </summary>
[Collection(nameof(DefinitionCostTests))]
[CollectionDefinition(nameof(DefinitionCostTests), DisableParallelization = true)]
public sealed class DefinitionCostTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Ten_times_the_steps_of_a_chain_or_a_join_cost_about_ten_times_as_much_to_read(bool join)
    {
        var few = CostOf(join, 1_000);
        var many = CostOf(join, 10_000);

        // Linear is ten, a reader that looks at all steps for each step a hundred.
        Assert.InRange(many / few, 0, 40);
    }

    /// <summary>The best of three: processor time also counts the compiler, which is still busy with the reader during the first.</summary>
    private static TimeSpan CostOf(bool join, int count)
    {
        var document = JsonElement.Parse(Doc.Around(join ? Join(count) : Chain(count)));
        return Enumerable.Range(0, 3).Min(_ => CostOf(document, count));
    }

    private static string Chain(int count) => string.Join(',', Enumerable.Range(0, count).Select(i =>
        $$"""  "s{{i}}":{"successors":{"default":[{{(i + 1 < count ? $"\"s{i + 1}\"" : "")}}] } }"""));

    private static string Join(int count)
    {
        var members = string.Join(',', Enumerable.Range(0, count - 2).Select(i => $"\"m{i}\""));
        return $$"""  "r":{"successors":{"default":[{{members}}] } },{{string.Join(',', Enumerable.Range(0, count - 2)
            .Select(i => $$"""  "m{{i}}":{"successors":{"default":["j"] } }"""))}},"j":{"predecessors":[{{members}}],"or_groups":{"g":[{{members}}] } }""";
    }

    private static TimeSpan CostOf(JsonElement document, int count)
    {
        var begin = Environment.CpuUsage.TotalTime;
        Assert.Equal(count, DefinitionReader.Read(document).Definition!.Steps.Length);
        return Environment.CpuUsage.TotalTime - begin;
    }
}
