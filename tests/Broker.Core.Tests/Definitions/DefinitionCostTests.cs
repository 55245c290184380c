using System.Text.Json;
using Broker.Core.Definitions;
using Xunit;

namespace Broker.Core.Tests.Definitions;

/// <summary>
/// Measured in processor time, which other programs do not add to, with no other test running: on a machine with twenty runnable
/// threads on two processors the same reading took 1.3 s by the clock.
/// </summary>
[Collection(nameof(DefinitionCostTests))]
[CollectionDefinition(nameof(DefinitionCostTests), DisableParallelization = true)]
public sealed class DefinitionCostTests
{
    [Fact]
    public void A_chain_and_a_join_of_ten_thousand_steps_are_read_within_a_second()
    {
        const int count = 10_000;
        var chain = string.Join(',', Enumerable.Range(0, count).Select(i =>
            $$"""  "s{{i}}":{"successors":{"default":[{{(i + 1 < count ? $"\"s{i + 1}\"" : "")}}] } }"""));
        var members = string.Join(',', Enumerable.Range(0, count - 2).Select(i => $"\"m{i}\""));
        var join = $$"""  "r":{"successors":{"default":[{{members}}] } },{{string.Join(',', Enumerable.Range(0, count - 2)
            .Select(i => $$"""  "m{{i}}":{"successors":{"default":["j"] } }"""))}},"j":{"predecessors":[{{members}}],"or_groups":{"g":[{{members}}] } }""";

        foreach (var steps in new[] { chain, join })
        {
            var document = JsonElement.Parse(Doc.Around(steps));

            // The best of three: processor time also counts the compiler, which is still busy with the reader during the first.
            var took = Enumerable.Range(0, 3).Min(_ => CostOf(document, count));
            Assert.InRange(took, TimeSpan.FromTicks(1), TimeSpan.FromSeconds(1));
        }
    }

    private static TimeSpan CostOf(JsonElement document, int count)
    {
        var begin = Environment.CpuUsage.TotalTime;
        Assert.Equal(count, DefinitionReader.Read(document).Definition!.Steps.Length);
        return Environment.CpuUsage.TotalTime - begin;
    }
}
