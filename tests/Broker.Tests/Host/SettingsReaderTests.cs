using Broker.Auth;
using Broker.Settings;
using Broker.Storage.Contracts;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace Broker.Tests.Host;

public sealed class SettingsReaderTests
{
    [Fact]
    public void A_broker_without_settings_has_the_defaults_on_loopback()
    {
        var settings = Read().Settings;
        Assert.Equal(3000, settings.Port);
        Assert.Equal("127.0.0.1", settings.Host);
        Assert.Null(settings.DatabaseUrl);
        Assert.False(settings.ApiOnly);
        Assert.Null(settings.CorsOrigins);
        Assert.Empty(settings.AllowedHosts);
        Assert.Equal(TimeSpan.FromSeconds(5), settings.ReapInterval);
    }

    /// <summary>Jobs contract 10.</summary>
    [Theory]
    [InlineData("0", 0)]
    [InlineData("65535", 65535)]
    [InlineData("65536", 3000)]
    [InlineData("-1", 3000)]
    [InlineData("http", 3000)]
    [InlineData("", 3000)]
    public void A_text_that_is_no_port_is_3000(string text, int port) => Assert.Equal(port, Read(("PORT", text)).Settings.Port);

    [Theory]
    [InlineData("PORT", "abc", "PORT: 'abc' is no port from 0 to 65535: 3000 is used.")]
    [InlineData("PORT", "70000", "PORT: '70000' is no port from 0 to 65535: 3000 is used.")]
    [InlineData("PORT", "65535", null)]
    [InlineData("API_ONLY", "yes", "API_ONLY: 'yes' counts as false: only 1 and true switch it on.")]
    [InlineData("API_ONLY", "0", null)]
    [InlineData("CORS_ORIGINS", "https://a.example,nonsense", "CORS_ORIGINS: 'nonsense' is left out: an origin is written https://host:port.")]
    public void A_replaced_value_gives_a_warning(string variable, string text, string? warning)
    {
        var read = Read((variable, text));
        Assert.Null(read.Message);
        Assert.Equal(warning is null ? [] : [warning], read.Warnings);
    }

    [Theory]
    [InlineData("Broker:Prot", "Broker:Prot: no setting has this name; did you mean Broker:Port (Broker__Port in the environment)?")]
    [InlineData("Broker:limits:bach", "Broker:limits:bach: no setting has this name; did you mean Broker:Limits:Batch (Broker__Limits__Batch in the environment)?")]
    [InlineData("Broker:AllowAnonymous", "Broker:AllowAnonymous: no setting has this name; did you mean Broker:Auth:AllowAnonymous (Broker__Auth__AllowAnonymous in the environment)?")]
    [InlineData("Broker:Auth:Keys:0:Scope", "Broker:Auth:Keys:0:Scope: no setting has this name; did you mean Broker:Auth:Keys:0:Scopes (Broker__Auth__Keys__0__Scopes in the environment)?")]
    [InlineData("Broker:Something:Else", "Broker:Something:Else: no setting has this name (Broker__Something__Else in the environment); docs/configuration.md lists all.")]
    [InlineData("Broker:Limits", "Broker:Limits: no setting has this name; did you mean")]
    public void A_key_that_no_reader_asks_for_is_a_problem_that_names_the_nearest(string key, string problem)
    {
        var keys = KeysOf((key, "1"));
        _ = (SettingsReader.Read(keys), AuthSettingsReader.Read(keys));
        Assert.StartsWith(problem, Assert.Single(keys.Problems()), StringComparison.Ordinal);
    }

    [Fact]
    public void Known_keys_are_no_problem_whatever_their_case_and_form()
    {
        var keys = KeysOf(
            ("broker:port", "1"), ("Broker:CorsOrigins:0", "http://a"), ("Broker:Limits:Batch", "5"), ("Broker:Auth:Keys:0:Id", "a"),
            ("Broker:Auth:Keys:0:Scopes:0", "read"), ("Broker:Retention", ""), ("BROKER_API_KEY", "x"));
        _ = (SettingsReader.Read(keys), AuthSettingsReader.Read(keys));
        Assert.Empty(keys.Problems());
    }

    [Theory]
    [InlineData("1", true)]
    [InlineData("true", true)]
    [InlineData("True", false)]
    [InlineData("yes", false)]
    [InlineData("0", false)]
    public void Api_only_is_exactly_1_or_true(string text, bool apiOnly) => Assert.Equal(apiOnly, Read(("API_ONLY", text)).Settings.ApiOnly);

    [Fact]
    public void Origins_are_trimmed_and_what_is_none_is_dropped() => Assert.Equal(
        ["https://a.example", "http://localhost:5173", "null"],
        Read(("CORS_ORIGINS", " https://a.example/ ,, http://localhost:5173 ,nonsense,null")).Settings.CorsOrigins);

    [Theory]
    [InlineData("page.example")]
    [InlineData("nonsense,,")]
    public void A_list_without_any_origin_is_not_taken_for_unset(string text) => Assert.Empty(Read(("CORS_ORIGINS", text)).Settings.CorsOrigins!);

    [Theory]
    [InlineData("")]
    [InlineData("  ")]
    public void Origins_set_to_nothing_are_unset(string text) => Assert.Null(Read(("CORS_ORIGINS", text)).Settings.CorsOrigins);

    [Fact]
    public void Any_origin_can_be_allowed_aloud() => Assert.Equal(["*"], Read(("CORS_ORIGINS", "*")).Settings.CorsOrigins);

    [Fact]
    public void Host_names_are_read_from_a_list_in_one_form() => Assert.Equal(
        ["broker", "broker.example", "*.example.org", "::1", "*"],
        Read(("Broker:AllowedHosts", "broker, BROKER.example. ,*.Example.org,[0:0::1],*")).Settings.AllowedHosts);

    [Theory]
    [InlineData("http://broker")]
    [InlineData("broker:3000")]
    [InlineData("broker:")]
    [InlineData("broker/x")]
    [InlineData("bro ker")]
    [InlineData("*.")]
    [InlineData("*broker")]
    [InlineData("a..b")]
    public void A_text_that_is_no_host_name_is_refused_with_the_form_to_write(string text) =>
        Assert.Contains("host names without scheme and port", Read(("Broker:AllowedHosts", text)).Message, StringComparison.Ordinal);

    [Fact]
    public void Variables_win_over_keys()
    {
        var settings = Read(("Broker:Port", "4000"), ("PORT", "5000"), ("Broker:DatabaseUrl", "sqlite:a.db"), ("DATABASE_URL", "sqlite:b.db")).Settings;
        Assert.Equal(5000, settings.Port);
        Assert.Equal("sqlite:b.db", settings.DatabaseUrl);
    }

    [Fact]
    public void Keys_reach_every_setting()
    {
        var settings = Read(
            ("Broker:Host", "0.0.0.0"), ("Broker:WorkflowsDir", "/flows"), ("Broker:WorkflowsSource", "team-a"), ("Broker:ApiOnly", "true"), ("Broker:CorsOrigins:0", "http://a"),
            ("Broker:CorsOrigins:1", "http://b"), ("Broker:AllowedHosts:0", "a"), ("Broker:ReapInterval", "00:00:01"), ("Broker:DefaultLeaseSecs", "90"), ("Broker:WorkerTimeout", "00:01:00"),
            ("Broker:WorkerOffline", "00:02:00"), ("Broker:WorkerRemoved", "1.00:00:00"), ("Broker:InstancesBasePath", "/wf/"),
            ("Broker:RunnerTickEnabled", "false"), ("Broker:InstancesShowActive", "true"), ("Broker:MaxBodyBytes", "65536"), ("Broker:Retention", "00:00:00"),
            ("Broker:StreamHeartbeat", "00:00:05"), ("Broker:DatabaseUrl", "sqlite:x.db"), ("Broker:Port", "1"), ("Broker:Lanes", "4"),
            ("Broker:TimerInterval", "00:00:00.050"), ("Broker:MigrateAtStart", "false"), ("Broker:RetentionSucceeded", "1.00:00:00"),
            ("Broker:RetentionFailed", "0"), ("Broker:RetentionCancelled", "02:00:00"), ("Broker:Metrics", "false")).Settings;

        var expected = new BrokerSettings
        {
            Host = "0.0.0.0",
            WorkflowsDir = "/flows",
            WorkflowsSource = "team-a",
            ApiOnly = true,
            CorsOrigins = settings.CorsOrigins,
            AllowedHosts = settings.AllowedHosts,
            Endpoints = settings.Endpoints,
            ReapInterval = TimeSpan.FromSeconds(1),
            DefaultLeaseSecs = 90,
            WorkerTimeout = TimeSpan.FromMinutes(1),
            WorkerOffline = TimeSpan.FromMinutes(2),
            WorkerRemoved = TimeSpan.FromDays(1),
            InstancesBasePath = "/wf",
            RunnerTickEnabled = false,
            InstancesShowActive = true,
            MaxBodyBytes = 65536,
            Retention = TimeSpan.Zero,
            StreamHeartbeat = TimeSpan.FromSeconds(5),
            DatabaseUrl = "sqlite:x.db",
            Port = 1,
            Lanes = 4,
            TimerInterval = TimeSpan.FromMilliseconds(50),
            MigrateAtStart = false,
            RetentionSucceeded = TimeSpan.FromDays(1),
            RetentionFailed = TimeSpan.Zero,
            RetentionCancelled = TimeSpan.FromHours(2),
            Metrics = false,
        };
        Assert.Equal(expected, settings);
        Assert.Equal(["http://a", "http://b"], settings.CorsOrigins);
        Assert.Equal(["a"], settings.AllowedHosts);
    }

    [Theory]
    [InlineData("EagerDispatch,RunCache,ResultCache,ClaimLoop", Accelerators.All)]
    [InlineData("runcache, claimloop", Accelerators.RunCache | Accelerators.ClaimLoop)]
    [InlineData("none", Accelerators.None)]
    [InlineData("all", Accelerators.All)]
    [InlineData("", Accelerators.All)]
    public void Accelerators_are_listed_by_name(string text, Accelerators on) =>
        Assert.Equal(on, Read(("Broker:Storage:Accelerators", text)).Settings.Storage.Accelerators);

    [Fact]
    public void Accelerators_may_stand_in_an_array() => Assert.Equal(
        Accelerators.EagerDispatch | Accelerators.RunCache,
        Read(("Broker:Storage:Accelerators:0", "EagerDispatch"), ("Broker:Storage:Accelerators:1", "RunCache")).Settings.Storage.Accelerators);

    [Theory]
    [InlineData("RunCache,Turbo")]
    [InlineData("RunCache,None")]
    [InlineData("3")]
    public void A_name_that_no_accelerator_has_is_refused_with_those_that_there_are(string text) => Assert.Contains(
        $"Broker:Storage:Accelerators: '{text}' is not allowed; write All, None, or a comma list of those that are on: EagerDispatch, RunCache, ResultCache, ClaimLoop.",
        Read(("Broker:Storage:Accelerators", text)).Message, StringComparison.Ordinal);

    [Fact]
    public void Every_setting_has_a_key()
    {
        // A value that no setting takes: a key that is read is named in a problem, unless it takes any text.
        var read = Read([.. typeof(BrokerSettings).GetProperties().Select(property => ($"Broker:{property.Name}", "\u0001"))]);
        var taken = read.Problems.Select(problem => problem[..problem.IndexOf(' ')].TrimEnd(':'));
        // Any text will do for the first three; the next four are groups of settings with tests of their own, and the last two are of the host.
        string[] anyText =
        [
            nameof(BrokerSettings.WorkflowsDir), nameof(BrokerSettings.WorkflowsSource), nameof(BrokerSettings.CorsOrigins), nameof(BrokerSettings.Limits), nameof(BrokerSettings.DataProtection),
            nameof(BrokerSettings.Storage), nameof(BrokerSettings.Webhooks), nameof(BrokerSettings.Endpoints), nameof(BrokerSettings.IsEmbedded),
        ];
        Assert.Equal(
            typeof(BrokerSettings).GetProperties().Select(property => property.Name).Except(anyText).Order().Select(name => $"Broker:{name}"), taken.Order());
    }

    [Fact]
    public void One_message_lists_everything_wrong_and_what_to_write()
    {
        var message = Read(("HOST", "nowhere"), ("REAP_INTERVAL_SECS", "0"), ("Broker:MaxBodyBytes", "many"), ("Broker:Retention", "30")).Message;
        Assert.NotNull(message);
        Assert.Contains("HOST: 'nowhere' is not allowed; write an IP address", message, StringComparison.Ordinal);
        Assert.Contains("REAP_INTERVAL_SECS: '0' is not allowed; write a whole number from 1 to 3600", message, StringComparison.Ordinal);
        Assert.Contains("Broker:MaxBodyBytes: 'many'", message, StringComparison.Ordinal);
        Assert.Contains("Broker:Retention: '30' is not allowed; write a time such as", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mysql://root:hunter2@db/broker")]
    [InlineData("Nonsense=hunter2")]
    [InlineData("sqlite:")]
    [InlineData("sqlite::memory:")]
    [InlineData("sqlite:file::memory:?cache=shared")]
    [InlineData("postgres://me:hunter2@db:99999/broker")]
    [InlineData("postgres://me:hunter2@db/broker?Timeout=soon")]
    [InlineData("Host=db;Password=hunter2;Timeout=soon")]
    public void A_message_on_a_wrong_database_omits_its_password(string url)
    {
        var message = Read(("DATABASE_URL", url)).Message;
        Assert.NotNull(message);
        Assert.Contains("DATABASE_URL: ", message, StringComparison.Ordinal);
        Assert.Contains("write postgres://", message, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("localhost", "127.0.0.1")]
    [InlineData("*", "0.0.0.0")]
    [InlineData("[::1]", "::1")]
    public void Hosts_are_addresses(string text, string address) => Assert.Equal(address, Read(("HOST", text)).Settings.Host);

    [Fact]
    public void A_missing_workflow_folder_is_looked_for_beside_the_program()
    {
        Assert.Equal(Path.Combine(AppContext.BaseDirectory, "workflows"), Path.GetFullPath(Read().Settings.WorkflowsDir));
        Assert.Equal("not-there-either", Read(("WORKFLOWS_DIR", "not-there-either")).Settings.WorkflowsDir);
    }

    private static SettingsReading Read(params (string Key, string Value)[] values) => SettingsReader.Read(KeysOf(values));

    private static ReadKeys KeysOf(params (string Key, string Value)[] values) =>
        new(new ConfigurationBuilder().AddInMemoryCollection(values.Select(value => KeyValuePair.Create(value.Key, (string?)value.Value))).Build());
}
