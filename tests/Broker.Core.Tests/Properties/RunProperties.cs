using System.Text.Json;
using Broker.Core.Definitions;
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
        Prop.ForAll(CommandSequence.Any, Tell).Check(Config.QuickThrowOnFailure.WithMaxTest(Stories));

    private static void Tell(CommandSequence story)
    {
        var document = RandomGraph.Document(story.GraphSeed);
        var reading = DefinitionReader.Read(JsonElement.Parse(document));
        Assert.True(reading.Definition is not null, $"{document}\n{string.Join('\n', reading.Problems)}");

        object last = "start";
        try
        {
            var driver = new RunDriver(reading.Definition);
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
