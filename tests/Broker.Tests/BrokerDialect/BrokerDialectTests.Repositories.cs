using Xunit;

namespace Broker.Tests.BrokerDialect;

/// <summary>Broker contract 3.1 and 3.2.</summary>
public abstract partial class BrokerDialectTests
{
    [Fact]
    public async Task A_repository_comes_back_as_it_was_registered()
    {
        var name = Flows.NewName("repo");
        var body = $$$"""{"name":"{{{name}}}","url":"https://git.example.com/é.git","workflows":["a.b:c","d:e"],"credentials":{"username":"u","token":"t\"ö"}}""";

        Assert.Equal(new Reply(204, null, ""), await Wire.PostAsync("/repository/register", body));

        Assert.Equal(new Reply(200, "application/json", body), await Wire.GetAsync($"/repository?name={name}"));
    }

    [Fact]
    public async Task The_same_name_replaces_the_entry_and_keeps_its_place()
    {
        var (first, second) = (Flows.NewName("repo"), Flows.NewName("repo"));
        await PutRepositoryAsync(first, "old");
        await PutRepositoryAsync(second, "other");
        await PutRepositoryAsync(first, "new");

        var listed = await ListRepositoriesAsync();

        Assert.Equal([(first, "new"), (second, "other")], listed.Where(r => r.Name == first || r.Name == second));
    }

    [Fact]
    public async Task Pages_follow_each_other_and_end_with_404()
    {
        for (var i = 0; i < 3; i++) await PutRepositoryAsync(Flows.NewName("page"), "u");
        var all = await ListRepositoriesAsync();

        var third = await Wire.GetAsync("/repository?name=&page=3&page_size=1");

        Assert.Equal(all[2].Name, third.Json[0].GetProperty("name").GetString());
        Assert.Equal(1, third.Json.GetArrayLength());
        Assert.Equal(new Reply(404, null, ""), await Wire.GetAsync("/repository?page=1000000&page_size=1000"));
        Assert.Equal(new Reply(404, null, ""), await Wire.GetAsync("/repository?page=2147483647&page_size=1000"));
    }

    [Fact]
    public async Task An_unknown_repository_is_404_without_a_body() =>
        Assert.Equal(new Reply(404, null, ""), await Wire.GetAsync("/repository?name=nobody-knows-it"));

    [Theory]
    [InlineData("page=0")]
    [InlineData("page=-1")]
    [InlineData("page=x")]
    [InlineData("page=99999999999")]
    [InlineData("page_size=0")]
    [InlineData("page_size=1001")]
    [InlineData("page_size=1.5")]
    [InlineData("name=a%00b")]
    public async Task A_wrong_page_is_400(string query) => Assert.Equal(400, (await Wire.GetAsync($"/repository?{query}")).Status);

    [Theory]
    [InlineData("{}", 3)]
    [InlineData("""{"name":"n","url":1,"workflows":[2],"credentials":{"a":3}}""", 3)]
    [InlineData("""{"name":"","url":"u","workflows":"w","credentials":{}}""", 2)]
    [InlineData("""{"name":"n","url":"u\u0000","workflows":[],"credentials":null}""", 2)]
    [InlineData("[]", 1)]
    public async Task A_malformed_repository_is_refused_with_every_problem(string body, int problems)
    {
        var reply = await Wire.PostAsync("/repository/register", body);

        Assert.Equal(422, reply.Status);
        Assert.Equal(problems, reply.Json.GetProperty("problems").GetArrayLength());
    }

    /// <summary>The page reads "any credentials needed".</summary>
    [Fact]
    public async Task A_repository_without_credentials_has_none()
    {
        var name = $"open-{Guid.NewGuid():N}";
        Assert.Equal(204, (await Wire.PostAsync("/repository/register", $$"""{"name":"{{name}}","url":"https://git.example.com/a.git","workflows":[]}""")).Status);

        var stored = await Wire.GetAsync($"/repository?name={name}");
        Assert.Equal("{}", stored.Json.GetProperty("credentials").GetRawText());
    }

    private async Task PutRepositoryAsync(string name, string url) => Assert.Equal(
        204, (await Wire.PostAsync("/repository/register", $$$"""{"name":"{{{name}}}","url":"{{{url}}}","workflows":[],"credentials":{}}""")).Status);

    private async Task<List<(string Name, string Url)>> ListRepositoriesAsync() =>
        [.. (await Wire.GetAsync("/repository?page_size=1000")).Json.EnumerateArray().Select(r => (r.GetProperty("name").GetString()!, r.GetProperty("url").GetString()!))];
}
