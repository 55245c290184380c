using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Core.Steps;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Broker.Core.Tests.Properties;

/// <summary>Random graphs under random commands keep every invariant of src/Broker.Core/README.md.</summary>
public sealed class RunProperties
{
    private const int Stories = 800;

    [Fact]
    public void No_order_of_commands_breaks_an_invariant_and_each_run_ends() =>
        Prop.ForAll(CommandSequence.Any, story => Tell(story)).Check(Config.QuickThrowOnFailure.WithMaxTest(Stories));

    [Fact] // 25
    public void A_condition_in_a_cycle_is_held_against_the_time_of_its_decision() => Tell(new(2035529419, [new(Happening.CancelGently, 380, 148)]));

    public static TheoryData<string> Faults => [.. Planted.Keys];

    private static readonly Dictionary<string, Func<IReadOnlyList<StepState>, IReadOnlyList<StepState>>> Planted = new()
    {
        ["a kept step runs again"] = kept => [.. kept.Skip(1)],
        ["a kept step is ready again"] = kept => [.. kept.Select((step, i) => i == 0 ? step with { Status = StepStatus.Ready, EndedAt = null } : step)],
        ["a kept step has lost its result"] = kept => [.. kept.Select(step => step with { Result = null })],
        ["a kept failure counts as success"] = kept => [.. kept.Select(step => step with { Status = StepStatus.Succeeded })],
    };

    [Theory] // 24
    [MemberData(nameof(Faults))]
    public void A_fault_in_what_a_retry_keeps_is_caught(string fault)
    {
        var found = Assert.ThrowsAny<Exception>(() =>
            Prop.ForAll(CommandSequence.Any, story => Tell(story, Planted[fault])).Check(Config.QuickThrowOnFailure.WithMaxTest(10 * Stories)));
        Assert.Contains("invariant", found.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string> FaultsOfMaps => [.. PlantedInMaps.Keys];

    private static readonly Dictionary<string, Func<MapProgress, MapProgress>> PlantedInMaps = new()
    {
        ["an item is counted twice"] = map => map with { Succeeded = map.Succeeded * 2 },
        ["a slot of the window is not given back"] = map => map with { Open = map.Open + (map.Succeeded > 0 ? 1 : 0) },
        ["a slot of the window is given back twice"] = map => map with { Open = map.Open - (map.Succeeded > 1 ? 1 : 0) },
        ["a failed item is forgotten"] = map => map with { Failed = 0 },
        ["an item is begun twice"] = map => map with { Next = map.Next > 1 && map.Open > 0 ? map.Next - 1 : map.Next },
        ["an item is left out"] = map => map with { Next = map.Next + (map.Next is 2 && map.Open > 0 ? 1 : 0) },
        ["the join fires one item too early"] = map => map with { Count = map.Count > 2 ? map.Count - 1 : map.Count },
    };

    [Theory] // 28, 29, 30
    [MemberData(nameof(FaultsOfMaps))]
    public void A_fault_in_the_row_of_a_map_is_caught(string fault)
    {
        var found = Assert.ThrowsAny<Exception>(() =>
            Prop.ForAll(CommandSequence.Any, story => Tell(story, writing: step => step with { Items = PlantedInMaps[fault](step.Items!) })).Check(Config.QuickThrowOnFailure.WithMaxTest(10 * Stories)));
        Assert.Contains("invariant", found.Message, StringComparison.Ordinal);
    }

    private static void Tell(CommandSequence story, Func<IReadOnlyList<StepState>, IReadOnlyList<StepState>>? keeping = null, Func<StepState, StepState>? writing = null)
    {
        var document = RandomGraph.Document(story.GraphSeed);
        var reading = DefinitionReader.Read(JsonElement.Parse(document));
        Assert.True(reading.Definition is not null, $"{document}\n{string.Join('\n', reading.Problems)}");

        object last = "start";
        try
        {
            var driver = new RunDriver(reading.Definition, keeping, writing);
            foreach (var command in story.Commands)
            {
                last = command;
                driver.Play(command);
            }

            last = "driving to the end";
            driver.DriveToTheEnd();
        }
        catch (Exception broken)
        {
            throw new InvalidOperationException($"{broken.Message}\nlast: {last}\nstory: {story}\ndefinition: {document}", broken);
        }
    }
}
