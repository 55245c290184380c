using Broker.Auth;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace Broker.Tests.Auth;

/// <summary>The text of keys, and the settings they may stand in.</summary>
public sealed class ApiKeyTests
{
    private static readonly string Hash = new('0', 64);

    [Fact]
    public void A_key_is_known_by_its_hash_alone()
    {
        var (id, key) = ApiKey.Create();
        Assert.Equal(id, ApiKey.IdOf(key));
        Assert.True(ApiKey.IsId(id));
        Assert.Matches("^brk_[a-z0-9]{12}_[A-Za-z0-9]{40}$", key);

        var hash = Convert.FromHexString(ApiKey.HashOf(key));
        Assert.True(ApiKey.Matches(key, hash));
        Assert.False(ApiKey.Matches(key.AsSpan()[..^1], hash));
        Assert.False(ApiKey.Matches(ApiKey.Create().Key, hash));
        Assert.NotEqual(key, ApiKey.Create().Key);
    }

    [Theory]
    [InlineData("")]
    [InlineData("brk")]
    [InlineData("brk_")]
    [InlineData("brk__secret")]
    [InlineData("brk_id")]
    [InlineData("key_id_secret")]
    public void Other_text_has_no_id(string text) => Assert.True(ApiKey.IdOf(text).IsEmpty);

    [Fact]
    public void A_text_beyond_the_longest_key_is_no_key() => Assert.True(ApiKey.IdOf($"brk_id_{new string('s', 100_000)}").IsEmpty);

    [Theory]
    [InlineData("anonymous", false)]
    [InlineData("command-line", false)]
    [InlineData("a_b", false)]
    [InlineData("", false)]
    [InlineData("ci-runner", true)]
    public void Ids_are_letters_digits_and_hyphens_without_reserved_words(string id, bool allowed) => Assert.Equal(allowed, ApiKey.IsId(id));

    [Fact]
    public void Keys_are_read_from_lists_and_from_variables()
    {
        var (settings, problems) = Read(
            ("Keys:0:Id", "a"), ("Keys:0:Hash", Hash.ToUpperInvariant()), ("Keys:0:Scopes", "read, Worker"), ("Keys:0:Workflows:0", "w1"), ("Keys:0:Workflows:1", "w2"),
            ("Keys:1:Id", "b"), ("Keys:1:Hash", Hash), ("Keys:1:Scopes:0", "admin"), ("AllowAnonymous", "true"), ("AuditRetention", "7.00:00:00"));

        Assert.Empty(problems);
        Assert.Equal(["a", "b"], settings.Keys.Select(key => key.Id));
        Assert.Equal((Scope.Read | Scope.Worker, Scope.Admin), (settings.Keys[0].Scopes, settings.Keys[1].Scopes));
        Assert.Equal(["w1", "w2"], settings.Keys[0].Workflows!);
        Assert.Null(settings.Keys[1].Workflows);
        Assert.True(settings.AllowAnonymous);
        Assert.Equal(TimeSpan.FromDays(7), settings.AuditRetention);
    }

    [Fact]
    public void A_broker_without_auth_settings_has_no_key_and_no_anonymity()
    {
        var (settings, problems) = Read();
        Assert.Empty(problems);
        Assert.Empty(settings.Keys);
        Assert.False(settings.AllowAnonymous);
        Assert.Equal(TimeSpan.FromDays(90), settings.AuditRetention);
    }

    [Fact]
    public void Every_problem_says_what_to_write_and_none_repeats_what_may_be_secret()
    {
        var (_, problems) = Read(
            ("Keys:0:Id", "anonymous"), ("Keys:0:Hash", "hunter2"), ("Keys:0:Scopes", "reed"), ("Keys:1:Id", "b"), ("Keys:1:Hash", Hash), ("Keys:1:Scopes", "read"),
            ("Keys:2:Id", "b"), ("Keys:2:Hash", Hash), ("Keys:2:Scopes", "read"), ("AllowAnonymous", "perhaps"), ("AuditRetention", "90"));

        Assert.Equal(6, problems.Count);
        Assert.All(problems, problem => Assert.Contains("write ", problem, StringComparison.Ordinal));
        Assert.Contains(problems, problem => problem.Contains("Keys:0:Scopes: 'reed'", StringComparison.Ordinal) && problem.Contains("one or more of read, create", StringComparison.Ordinal));
        Assert.Contains(problems, problem => problem.Contains("'b' is there twice", StringComparison.Ordinal));
        Assert.DoesNotContain(problems, problem => problem.Contains("hunter2", StringComparison.Ordinal));
    }

    private static (AuthSettings Settings, IReadOnlyList<string> Problems) Read(params (string Key, string Value)[] values) => AuthSettingsReader.Read(
        new ConfigurationBuilder().AddInMemoryCollection(values.Select(value => KeyValuePair.Create($"Broker:Auth:{value.Key}", (string?)value.Value))).Build());
}
