using Broker.Testing;
using Xunit;
using YamlDotNet.Core;
using YamlDotNet.Serialization;

namespace Broker.Tests.Operations;

/// <summary>Checks of the image and the compose file that need no Docker engine.</summary>
public sealed class ComposeTests
{
    private static readonly Dictionary<string, object> Compose = Parsed("docker-compose.yml");
    private static readonly Dictionary<string, object> Keys = Parsed("docker-compose.keys.yml");

    [Fact]
    public void Each_name_that_a_service_uses_is_defined()
    {
        var services = Names(Compose, "services");
        foreach (var name in services)
        {
            var service = Map(Map(Compose, "services"), name);
            Assert.True(service.ContainsKey("image") != service.ContainsKey("build"), name);
            if (service.ContainsKey("depends_on")) Assert.Subset(services, Names(service, "depends_on"));
            foreach (var volume in Items(service, "volumes")) Assert.Contains(((string)volume).Split(':')[0], Names(Compose, "volumes"));
            foreach (var config in Items(service, "configs")) Assert.Contains((string)Text(config)["source"], Names(Compose, "configs"));
            if (service.TryGetValue("build", out var build)) Assert.Contains($" AS {Text(build)["target"]}", Read("Dockerfile"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Jobs_reach_the_broker_and_not_the_database()
    {
        var services = Map(Compose, "services");
        var networks = services.Keys.ToDictionary(name => (string)name, name => Items(Map(services, (string)name), "networks").Cast<string>().Order(StringComparer.Ordinal).ToArray());
        Assert.Equal(["data"], networks["postgres"]);
        Assert.All((string[])["broker", "broker-2"], name => Assert.Equal(["data", "work"], networks[name]));
        Assert.All(networks.Where(n => n.Key is not ("postgres" or "broker" or "broker-2")), n => Assert.Equal(["work"], n.Value));
        Assert.Equal(["data", "work"], Names(Compose, "networks").Order(StringComparer.Ordinal));
        Assert.Equal("true", Map(Map(Compose, "networks"), "data")["internal"]);
        Assert.DoesNotContain("ports", Names(services, "postgres"));
    }

    [Fact]
    public void No_secret_has_a_default_and_a_missing_one_says_what_to_write()
    {
        var services = Map(Compose, "services");
        var broker = Map(Map(services, "broker"), "environment");
        Assert.Contains("${POSTGRES_PASSWORD:?write POSTGRES_PASSWORD=", (string)broker["DATABASE_URL"], StringComparison.Ordinal);
        Assert.StartsWith("${POSTGRES_PASSWORD:?write POSTGRES_PASSWORD=", (string)Map(Map(services, "postgres"), "environment")["POSTGRES_PASSWORD"], StringComparison.Ordinal);
        Assert.StartsWith("${BROKER_SECRET:?write BROKER_SECRET=", (string)broker["Broker__DataProtection__Secret"], StringComparison.Ordinal);
        Assert.Equal("broker,broker-2,localhost", broker["Broker__AllowedHosts"]);
        Assert.DoesNotContain("PASSWORD:-", Read("docker-compose.yml"), StringComparison.Ordinal);
        Assert.DoesNotContain("SECRET:-", Read("docker-compose.yml"), StringComparison.Ordinal);
    }

    [Fact]
    public void Workers_read_their_key_from_a_file_where_keys_are_asked_for_and_need_none_before()
    {
        var services = Map(Compose, "services");
        var workers = services.Keys.Cast<string>().Where(name => Map(services, name).TryGetValue("build", out var build) && Text(build)["target"] is "worker").ToHashSet(StringComparer.Ordinal);
        Assert.NotEmpty(workers);
        Assert.All(workers, name => Assert.DoesNotContain("environment", Names(services, name)));
        Assert.DoesNotContain("secrets", Compose.Keys);

        Assert.Equal(workers, Names(Keys, "services"));
        var secret = Assert.Single(Names(Keys, "secrets"));
        Assert.Equal("${BROKER_WORKER_KEY_FILE:-./worker.key}", Map(Map(Keys, "secrets"), secret)["file"]);
        foreach (var worker in workers.Select(name => Map(Map(Keys, "services"), name)))
        {
            Assert.Equal([secret], Items(worker, "secrets"));
            var environment = Map(worker, "environment");
            Assert.Equal([KeyValuePair.Create<object, object>("BROKER_API_KEY_FILE", $"/run/secrets/{secret}")], environment);
        }

        // The file gets neither into the repository nor into an image, which contains the named files alone.
        Assert.Contains("*.key", Read(".gitignore").Split('\n'));
        Assert.StartsWith("**\n", Read(".dockerignore"), StringComparison.Ordinal);
    }

    [Fact]
    public void No_service_gains_privileges_and_ours_have_no_capabilities()
    {
        var services = Map(Compose, "services");
        foreach (var name in services.Keys.Cast<string>())
        {
            var service = Map(services, name);
            string[] dropped = service.ContainsKey("build") ? ["ALL"] : [];
            Assert.Equal(["no-new-privileges:true"], Items(service, "security_opt"));
            Assert.Equal(dropped, Items(service, "cap_drop"));
            Assert.False(service.ContainsKey("privileged") || service.ContainsKey("cap_add"), name);
        }
    }

    [Fact]
    public void Published_ports_are_on_loopback()
    {
        var ports = Names(Compose, "services").SelectMany(name => Items(Map(Map(Compose, "services"), name), "ports")).ToList();
        Assert.Equal(2, ports.Count);
        Assert.All(ports, port => Assert.StartsWith("127.0.0.1:", (string)port, StringComparison.Ordinal));
    }

    [Fact]
    public void Two_brokers_share_a_database_behind_one_port()
    {
        var services = Map(Compose, "services");
        var (first, second) = (Map(services, "broker"), Map(services, "broker-2"));
        Assert.Equal(Map(first, "environment")["DATABASE_URL"], Map(second, "environment")["DATABASE_URL"]);
        Assert.False(second.ContainsKey("ports"));
        Assert.Equal(["two"], Items(second, "profiles"));
        var proxy = (string)Map(Map(Compose, "configs"), "proxy")["content"];
        Assert.Contains("server broker:3000", proxy, StringComparison.Ordinal);
        Assert.Contains("server broker-2:3000", proxy, StringComparison.Ordinal);
        Assert.Contains("proxy_buffering off", proxy, StringComparison.Ordinal);
    }

    [Fact]
    public void Images_run_without_root_and_the_broker_is_asked_whether_it_is_ready()
    {
        var stages = Read("Dockerfile").Split("\nFROM ")[2..];
        Assert.Equal(2, stages.Length);
        Assert.All(stages, stage => Assert.True(
            stage.IndexOf("\nUSER $APP_UID", StringComparison.Ordinal) is > 0 and var user && user < stage.IndexOf("\nENTRYPOINT", StringComparison.Ordinal)));
        Assert.Contains("\"--healthcheck\"", stages[1], StringComparison.Ordinal);
        Assert.Contains("\nVOLUME /data/broker-data", stages[1], StringComparison.Ordinal);
    }

    private static Dictionary<string, object> Parsed(string file) => new DeserializerBuilder().Build()
        .Deserialize<Dictionary<string, object>>(new MergingParser(new Parser(new StringReader(Read(file)))));

    private static string Read(string file) => File.ReadAllText(Path.Combine(RepositoryLayout.Root, file));

    private static Dictionary<object, object> Text(object map) => (Dictionary<object, object>)map;

    private static Dictionary<object, object> Map(Dictionary<string, object> owner, string member) => Text(owner[member]);

    private static Dictionary<object, object> Map(Dictionary<object, object> owner, string member) => Text(owner[member]);

    private static List<object> Items(Dictionary<object, object> owner, string member) => owner.TryGetValue(member, out var items) ? (List<object>)items : [];

    private static HashSet<string> Names(Dictionary<string, object> owner, string member) => [.. Map(owner, member).Keys.Cast<string>()];

    private static HashSet<string> Names(Dictionary<object, object> owner, string member) => [.. Map(owner, member).Keys.Cast<string>()];
}
