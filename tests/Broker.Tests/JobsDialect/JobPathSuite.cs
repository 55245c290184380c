using Xunit;

namespace Broker.Tests.JobsDialect;

/// <summary>Jobs contract 1: a segment is decoded once, after splitting; a base URL may end with a slash.</summary>
public abstract class JobPathSuite(IJobsBroker broker) : JobsSuite(broker)
{
    [Theory]
    [InlineData("a/b", "a%2Fb")]
    [InlineData("a/b", "a%2fb")]
    [InlineData("a%2Fb", "a%252Fb")]
    [InlineData("a%2Fb/c", "a%252Fb%2Fc")]
    [InlineData("a b+é?#%", "a%20b%2B%C3%A9%3F%23%25")]
    [InlineData("a+b", "a+b")]
    [InlineData("/", "%2F")]
    public async Task Any_job_id_reaches_its_job(string job, string segment)
    {
        var id = await RunningAsync(Job(job));
        await CancelAsync(id);
        Assert.Equal("true", (await GetAsync($"/api/jobs/{id}/{segment}/cancelled")).Body);

        var chunk = $$"""{"workflow_id":"{{id}}","job_id":"{{job}}","sequence":0,"data":"x","timestamp_ms":1,"stream":"stdout"}""";
        await PostAsync("/api/jobs/x/logs", $$"""{"chunks":[{{chunk}}]}""");
        Assert.Equal($"[{chunk}]", (await GetAsync($"/api/workflows/{id}/jobs/{segment}/logs?x=%2F")).Body);
    }

    [Fact]
    public async Task A_base_url_with_a_trailing_slash_works()
    {
        var id = await DefineAsync(Job("a/b"));
        Assert.Equal(200, (await GetAsync($"//api/workflows/{id}/status")).Status);
        Assert.Equal(202, (await PostAsync($"//api/workflows/{id}/run")).Status);
        Assert.Equal(202, (await PostAsync($"//api/workflows/{id}/cancel")).Status);
        Assert.Equal("true", (await GetAsync($"//api/jobs/{id}/a%2Fb/cancelled")).Body);
    }
}
