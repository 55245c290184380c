using Xunit;

namespace Broker.Core.Tests.Definitions;

/// <summary>When two definitions are the same: broker contract 4.2.</summary>
public sealed class DefinitionFingerprintTests
{
    private const string Plain = """{"workflow_id":"w","steps":{"a":{"successors":{"default":["b"]}},"b":{}}}""";

    [Theory]
    [InlineData("""{"steps":{"b":{},"a":{"successors":{"default":["b"]}}},"workflow_id":"w"}""")]
    [InlineData("""{"workflow_id":"w","version":"1","steps":{"a":{"successors":{"default":["b"]}},"b":{}},"outputs":[],"policies":[]}""")]
    [InlineData("""{"workflow_id":"w","version":null,"steps":{"a":{"successors":{"default":["b"]}},"b":{}},"outputs":null}""")]
    [InlineData("""{"workflow_id":"w","steps":{"a":{"name":"a","successors":{"default":["b"]},"predecessors":[],"or_groups":{},"policies":[]},"b":{"name":"b","successors":{}}}}""")]
    [InlineData("""{"workflow_id":"\u0077","steps":{"a":{"successors":{"default":["b"]}},"b":{"policies":null}}}""")]
    public void Order_spelling_and_absent_defaults_make_no_difference(string other) => Assert.Equal(Doc.Of(Plain).Fingerprint, Doc.Of(other).Fingerprint);

    [Theory]
    [InlineData("""{"workflow_id":"v","steps":{"a":{"successors":{"default":["b"]}},"b":{}}}""")]
    [InlineData("""{"workflow_id":"w","version":"2","steps":{"a":{"successors":{"default":["b"]}},"b":{}}}""")]
    [InlineData("""{"workflow_id":"w","steps":{"a":{"successors":{"default":["b"]}},"b":{}},"outputs":["b"]}""")]
    [InlineData("""{"workflow_id":"w","steps":{"a":{"successors":{"default":["b"]}},"b":{}},"policies":[{"name":"p","config":{}}]}""")]
    [InlineData("""{"workflow_id":"w","steps":{"a":{"successors":{"default":["b"]}},"b":{"policies":[{"name":"p","config":{}}]}}}""")]
    [InlineData("""{"workflow_id":"w","steps":{"a":{"successors":{"default":["b"]}},"b":{"predecessors":["a"]}}}""")]
    [InlineData("""{"workflow_id":"w","steps":{"a":{"successors":{"default":["b"]}},"b":{}},"anything":1}""")]
    public void A_change_of_any_member_changes_the_fingerprint(string other) => Assert.NotEqual(Doc.Of(Plain).Fingerprint, Doc.Of(other).Fingerprint);

    [Theory]
    [InlineData("1", "1.0", true)]
    [InlineData("1", "10e-1", true)]
    [InlineData("123456789012345678901234567890", "123456789012345678901234567891", false)]
    [InlineData("[1,2]", "[2,1]", false)]
    [InlineData("1", "\"1\"", false)]
    [InlineData("null", "0", false)]
    public void Numbers_are_compared_by_value_and_arrays_in_order(string one, string other, bool same)
    {
        static string With(string value) => Doc.Of($$$"""{"workflow_id":"w","steps":{"a":{"policies":[{"name":"p","config":{"n": {{{value}}} } } ] } } }""").Fingerprint;

        Assert.Equal(same, With(one) == With(other));
    }
}
