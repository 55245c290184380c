namespace Broker.Worker.Tests;

public sealed class WorkerOptionsTests
{
    private static ParsedOptions Parse(string[] args, params (string Name, string Value)[] environment) =>
        WorkerOptions.Parse(args, name => environment.FirstOrDefault(e => e.Name == name).Value);

    [Fact]
    public void A_worker_without_options_has_the_defaults()
    {
        var parsed = Parse([]);

        Assert.Empty(parsed.Problems);
        Assert.False(parsed.HelpAsked);
        Assert.Equal(new Uri("http://localhost:3000"), parsed.Options.Server);
        Assert.Empty(parsed.Options.Labels);
        Assert.Equal((1, 30, 20, 10), (parsed.Options.Slots, parsed.Options.LeaseTtlSecs, parsed.Options.WaitSecs, parsed.Options.GraceSecs));
        Assert.Null(parsed.Options.ApiKey);
        Assert.NotEqual(parsed.Options.Id, Parse([]).Options.Id);
    }

    [Fact]
    public void The_environment_is_read()
    {
        var options = Parse(
            [], ("SERVER_URL", "https://broker.test/base/"), ("WORKER_LABELS", " arm64, ,gpu "), ("WORKER_SLOTS", "4"), ("WORKER_ID", "w-1"), ("BROKER_API_KEY", "k3y")).Options;

        Assert.Equal("https://broker.test/base/", options.Server.AbsoluteUri);
        Assert.Equal(["arm64", "gpu"], options.Labels);
        Assert.Equal((4, "w-1", "k3y"), (options.Slots, options.Id, options.ApiKey));
    }

    [Fact]
    public void The_command_line_wins_over_the_environment()
    {
        var options = Parse(["--slots", "2", "--id=w=2", "--labels", ""], ("WORKER_SLOTS", "4"), ("WORKER_ID", "w-1"), ("WORKER_LABELS", "gpu")).Options;

        Assert.Equal((2, "w=2"), (options.Slots, options.Id));
        Assert.Empty(options.Labels);
    }

    [Fact]
    public void Jobs_have_fresh_folders_below_a_parent_or_none()
    {
        Assert.Equal(new(Path.GetTempPath(), KeepWorkspace.Never), Parse([]).Options.Workspace);
        Assert.Equal(new(Path.GetFullPath("work"), KeepWorkspace.Failed), Parse(["--workspace", "work"], ("WORKER_KEEP_WORKSPACE", "failed")).Options.Workspace);
        Assert.Null(Parse([], ("WORKER_WORKSPACE", "none")).Options.Workspace.Parent);
    }

    [Fact]
    public void A_variable_set_to_nothing_counts_as_unset()
    {
        var parsed = Parse([], ("WORKER_SLOTS", ""), ("SERVER_URL", ""), ("BROKER_API_KEY", ""));

        Assert.Empty(parsed.Problems);
        Assert.Null(parsed.Options.ApiKey);
    }

    [Theory]
    [InlineData("--slots", "0", "1 to 256")]
    [InlineData("--slots", "many", "whole number")]
    [InlineData("--wait", "61", "0 to 60")]
    [InlineData("--lease-ttl", "-1", "1 to 3600")]
    [InlineData("--grace", "1.5", "whole number")]
    [InlineData("--server", "localhost:3000", "http://localhost:3000")]
    [InlineData("--server", "http://user:pw@host", "without user and password")]
    [InlineData("--id", "", "1 to 200")]
    [InlineData("--workspace", "", "write a folder, or none")]
    [InlineData("--keep-workspace", "sometimes", "never, failed or always")]
    [InlineData("--shots", "1", "unknown option --shots")]
    public void A_wrong_value_is_answered_with_what_to_write(string flag, string value, string message) =>
        Assert.Contains(message, string.Join('\n', Parse([flag, value]).Problems), StringComparison.Ordinal);

    [Fact]
    public void Every_problem_is_listed_at_once() => Assert.Equal(3, Parse(["--slots=x", "--wait=x", "--grace"]).Problems.Count);

    [Theory]
    [InlineData("--api-key", "s3cret\nX-Evil: 1")]
    [InlineData("--api-kay=s3cret", null)]
    public void A_problem_never_repeats_a_key(string first, string? second)
    {
        var parsed = Parse(second is null ? [first] : [first, second]);

        Assert.NotEmpty(parsed.Problems);
        Assert.DoesNotContain("s3cret", string.Join('\n', parsed.Problems), StringComparison.Ordinal);
    }

    [Fact]
    public void Only_an_argument_that_belongs_to_no_option_is_not_repeated() =>
        Assert.Equal(["an argument belongs to no option; broker-worker --help lists what there is"], Parse(["s3cret"]).Problems);

    [Fact]
    public void The_key_has_one_source_on_the_command_line() =>
        Assert.Contains("write one of --api-key-file", string.Join('\n', Parse(["--api-key", "a", "--api-key-file", "/dev/null"]).Problems), StringComparison.Ordinal);

    [Fact]
    public void A_key_file_on_the_command_line_wins_over_a_key_in_the_environment()
    {
        var file = Path.GetTempFileName();
        File.WriteAllText(file, "from-file\n");

        Assert.Equal("from-file", Parse(["--api-key-file", file], ("BROKER_API_KEY", "k3y")).Options.ApiKey);
        File.Delete(file);
    }

    [Theory]
    [InlineData("http://broker.test:3000", "k3y", true)]
    [InlineData("http://10.0.0.1", "k3y", true)]
    [InlineData("https://broker.test", "k3y", false)]
    [InlineData("http://localhost:3000", "k3y", false)]
    [InlineData("http://127.0.0.2", "k3y", false)]
    [InlineData("http://[::1]:3000", "k3y", false)]
    [InlineData("http://broker.test", "", false)]
    public void A_key_that_a_network_can_read_is_warned_of(string server, string key, bool warned)
    {
        var warning = Parse([], ("SERVER_URL", server), ("BROKER_API_KEY", key)).Options.Warning;

        Assert.Equal(warned, warning is not null);
        Assert.DoesNotContain("k3y", warning ?? "", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("-h")]
    public void Help_is_recognised(string flag) => Assert.True(Parse([flag]).HelpAsked);
}
