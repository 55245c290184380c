namespace Broker.Worker.Tests;

/// <summary>A worker that cannot start commands.</summary>
public sealed class WorkerSelfCheckTests : IDisposable
{
    private readonly FakeBroker _broker = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("worker-test-").FullName;

    public void Dispose()
    {
        _broker.Dispose();
        if (Directory.Exists(_folder))
            Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Without_a_folder_for_files_the_worker_claims_nothing_until_there_is_one()
    {
        string missing = Path.Combine(_folder, "tmp");
        _broker.Add("job", "true");
        await using var worker = new WorkerProgram(_broker, environment: [("TMPDIR", missing)]);
        await worker.Printed("cannot start commands, claiming nothing: ");
        Assert.Empty(_broker.To("jobs/claim"));

        Directory.CreateDirectory(missing);

        Assert.True((await _broker.ReportOf("job")).Ok);
        Assert.Contains("commands can be started again", worker.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Without_its_programs_the_worker_claims_nothing_until_they_are_there(bool hasSetsid)
    {
        if (hasSetsid)
            File.CreateSymbolicLink(Path.Combine(_folder, "setsid"), "/usr/bin/setsid");
        _broker.Add("job", "true");
        await using var worker = new WorkerProgram(_broker, environment: [("PATH", _folder), ("DOTNET_HOST_PATH", null)]);
        await worker.Printed("cannot start commands, claiming nothing: ");
        Assert.Empty(_broker.To("jobs/claim"));

        if (!hasSetsid)
            File.CreateSymbolicLink(Path.Combine(_folder, "setsid"), "/usr/bin/setsid");
        File.CreateSymbolicLink(Path.Combine(_folder, "sh"), "/bin/sh");

        Assert.True((await _broker.ReportOf("job")).Ok);
    }

    [Fact]
    public async Task A_folder_that_goes_missing_later_costs_no_job_a_retry()
    {
        string temporary = Path.Combine(_folder, "tmp");
        Directory.CreateDirectory(temporary);
        await using var worker = new WorkerProgram(_broker, ["--slots", "4"], [("TMPDIR", temporary)]);
        await Eventually.True(() => _broker.To("jobs/claim").Any(), "a claim");

        Directory.Delete(temporary, recursive: true);
        for (int i = 0; i < 20; i++)
            _broker.Add($"job{i}", "true");
        await worker.Printed("cannot start commands, claiming nothing: ");
        await Eventually.True(() => !_broker.Released.IsEmpty, "a job to be handed back");
        await Eventually.True(() => worker.Output.Split("handed back: ").Length - 1 == _broker.Released.Count, "the hand-backs to be logged");
        Assert.InRange(_broker.To("jobs/claim").Count(), 1, 5);
        Assert.Empty(_broker.Reports);

        Directory.CreateDirectory(temporary);
        Assert.True((await _broker.ReportOf("job19")).Ok);
    }
}
