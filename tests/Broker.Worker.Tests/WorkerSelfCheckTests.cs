namespace Broker.Worker.Tests;

/// <summary>A worker that cannot start commands.</summary>
public sealed class WorkerSelfCheckTests : IDisposable
{
    private readonly FakeBroker broker = new();
    private readonly string folder = Directory.CreateTempSubdirectory("worker-test-").FullName;

    public void Dispose()
    {
        broker.Dispose();
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Without_a_folder_for_files_the_worker_claims_nothing_until_there_is_one()
    {
        var missing = Path.Combine(folder, "tmp");
        broker.Add("job", "true");
        await using var worker = new WorkerProgram(broker, environment: [("TMPDIR", missing)]);
        await worker.Printed("cannot start commands, claiming nothing: ");
        Assert.Empty(broker.To("jobs/claim"));

        Directory.CreateDirectory(missing);

        Assert.True((await broker.ReportOf("job")).Ok);
        Assert.Contains("commands can be started again", worker.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Without_its_programs_the_worker_claims_nothing_until_they_are_there(bool hasSetsid)
    {
        if (hasSetsid) File.CreateSymbolicLink(Path.Combine(folder, "setsid"), "/usr/bin/setsid");
        broker.Add("job", "true");
        await using var worker = new WorkerProgram(broker, environment: [("PATH", folder), ("DOTNET_HOST_PATH", null)]);
        await worker.Printed("cannot start commands, claiming nothing: ");
        Assert.Empty(broker.To("jobs/claim"));

        if (!hasSetsid) File.CreateSymbolicLink(Path.Combine(folder, "setsid"), "/usr/bin/setsid");
        File.CreateSymbolicLink(Path.Combine(folder, "sh"), "/bin/sh");

        Assert.True((await broker.ReportOf("job")).Ok);
    }

    [Fact]
    public async Task A_folder_that_goes_missing_later_costs_no_job_a_retry()
    {
        var temporary = Path.Combine(folder, "tmp");
        Directory.CreateDirectory(temporary);
        await using var worker = new WorkerProgram(broker, ["--slots", "4"], [("TMPDIR", temporary)]);
        await Eventually.True(() => broker.To("jobs/claim").Any(), "a claim");

        Directory.Delete(temporary, recursive: true);
        for (var i = 0; i < 20; i++) broker.Add($"job{i}", "true");
        await worker.Printed("cannot start commands, claiming nothing: ");
        await Eventually.True(() => !broker.Released.IsEmpty, "a job to be handed back");
        await Eventually.True(() => worker.Output.Split("handed back: ").Length - 1 == broker.Released.Count, "the hand-backs to be logged");
        Assert.InRange(broker.To("jobs/claim").Count(), 1, 5);
        Assert.Empty(broker.Reports);

        Directory.CreateDirectory(temporary);
        Assert.True((await broker.ReportOf("job19")).Ok);
    }
}
