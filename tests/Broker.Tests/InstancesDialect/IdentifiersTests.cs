using Broker.Api.InstancesDialect;
using Xunit;

namespace Broker.Tests.InstancesDialect;

/// <summary>Instances contract 2.2.</summary>
public sealed class IdentifiersTests
{
    [Theory]
    [InlineData("a", true)]
    [InlineData("_x-Y_9", true)]
    [InlineData("9lives", true)]
    [InlineData("", false)]
    [InlineData("-a", false)]
    [InlineData("a.b", false)]
    [InlineData("a:b", false)]
    [InlineData("a b", false)]
    [InlineData("é", false)]
    [InlineData("a\0", false)]
    [InlineData("a\n", false)]
    public void Instance_ids_follow_the_pattern(string id, bool valid) => Assert.Equal(valid, Identifiers.IsInstanceId(id));

    [Fact]
    public void Instance_ids_have_at_most_100_characters()
    {
        Assert.True(Identifiers.IsInstanceId(new string('a', 100)));
        Assert.False(Identifiers.IsInstanceId(new string('a', 101)));
    }

    [Theory]
    [InlineData("approval", true)]
    [InlineData("order.paid:v2", true)]
    [InlineData(".paid", false)]
    [InlineData(":paid", false)]
    [InlineData("-paid", false)]
    [InlineData("", false)]
    public void Event_types_may_have_dots_and_colons_as_newer_clients_send(string type, bool valid) =>
        Assert.Equal(valid, Identifiers.IsEventType(type));

    [Fact]
    public void Event_types_have_at_most_128_characters()
    {
        Assert.True(Identifiers.IsEventType(new string('a', 128)));
        Assert.False(Identifiers.IsEventType(new string('a', 129)));
    }

    [Theory]
    [InlineData("any name, ünd/slash", true)]
    [InlineData("", false)]
    [InlineData("nul\0", false)]
    [InlineData("\ud83d\ude00", true)]
    public void Workflow_names_are_any_text_that_a_database_takes(string name, bool valid) => Assert.Equal(valid, Identifiers.IsWorkflowName(name));

    // Not in attributes: those are stored as UTF-8, which has no lone surrogates.
    [Fact]
    public void A_lone_surrogate_is_no_name()
    {
        foreach (var name in new[] { "\ud83d", "a\ude00", "\ude00\ud83d" }) Assert.False(Identifiers.IsWorkflowName(name));
    }

    [Fact]
    public void Workflow_names_have_at_most_64_characters()
    {
        Assert.True(Identifiers.IsWorkflowName(new string('a', 64)));
        Assert.False(Identifiers.IsWorkflowName(new string('a', 65)));
    }

    [Fact]
    public void A_generated_id_holds_the_time_in_base_36_and_is_an_identifier()
    {
        var id = Identifiers.NewInstanceId(DateTimeOffset.FromUnixTimeMilliseconds(36L * 36 * 36 + 35));

        Assert.Matches("^inst_100z_[0-9a-z]{8}$", id);
        Assert.True(Identifiers.IsInstanceId(id));
    }
}
