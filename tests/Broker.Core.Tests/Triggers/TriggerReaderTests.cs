using System.Text.Json;
using Broker.Core.Definitions;
using Broker.Core.Triggers;
using Xunit;

namespace Broker.Core.Tests.Triggers;

public sealed class TriggerReaderTests
{
    [Theory]
    [InlineData("""{"event":"a"}""", 1)]
    [InlineData("""[{"event":"a","where":"inputs.n != 5 && inputs.kind == 'x'"},{"event":"b","key":"o-{payload.a.b}","start":false}]""", 2)]
    [InlineData("[]", 0)]
    [InlineData("null", 0)]
    public void Subscriptions_are_read(string on, int count) => Assert.Equal(count, Read(on).Definition!.Triggers.Length);

    [Theory]
    [InlineData("5", "on")]
    [InlineData("[5]", "on[0]")]
    [InlineData("{}", "on.event")]
    [InlineData("""{"event":""}""", "on.event")]
    [InlineData("""{"event":"a","when":"true"}""", "on.when")]
    [InlineData("""{"event":"a","where":"inputs."}""", "on.where")]
    [InlineData("""{"event":"a","where":"needs.x.result == 'success'"}""", "on.where")]
    [InlineData("""{"event":"a","key":"same"}""", "on.key")]
    [InlineData("""{"event":"a","key":"{order}"}""", "on.key")]
    [InlineData("""{"event":"a","key":"{payload.}"}""", "on.key")]
    [InlineData("""{"event":"a","key":"{payload.a"}""", "on.key")]
    [InlineData("""{"event":"a","start":false}""", "on.key")]
    [InlineData("""{"event":"a","start":"no"}""", "on.start")]
    public void A_faulty_subscription_is_named(string on, string path) => Assert.Contains(path, Read(on).Problems.Select(problem => problem.Path));

    [Theory]
    [InlineData("{payload.order}", """{"order":4711}""", "4711")]
    [InlineData("o-{payload.a.b}-{payload.c}", """{"a":{"b":"x"},"c":1.0}""", "o-x-1.0")]
    [InlineData("{payload.order}", "{}", null)]
    [InlineData("{payload.order}", """{"order":null}""", null)]
    [InlineData("{payload.order}", """{"order":{}}""", null)]
    [InlineData("{payload.order}", """{"order":"a/b"}""", null)]
    [InlineData("{payload.order}", """{"order":""}""", null)]
    [InlineData("{payload.order.x}", """{"order":"a"}""", null)]
    [InlineData("{payload.order}", "5", null)]
    public void A_key_takes_members_of_the_value(string form, string value, string? id) => Assert.Equal(id, KeyForm.Parse(form)!.Of(JsonElement.Parse(value)));

    [Theory]
    [InlineData("inputs.total == 99.5", """{"total":99.5}""", true)]
    [InlineData("inputs.total == 99.5", """{"total":5}""", false)]
    [InlineData("inputs.total == 99.5", "[]", false)]
    [InlineData("inputs.kind == 'x' && !inputs.test", """{"kind":"x","test":false}""", true)]
    public void A_condition_reads_members_of_the_value(string where, string value, bool wants) =>
        Assert.Equal(wants, TriggerReader.OfStored(JsonSerializer.Serialize(new { @event = "a", where })).Wants(JsonElement.Parse(value)));

    private static DefinitionReading Read(string on) => DefinitionReader.Read(JsonElement.Parse($$"""{"workflow_id":"w","steps":{},"on":{{on}}}"""));
}
