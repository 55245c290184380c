using Broker.Settings;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace Broker.Tests.Security;

public sealed class LimitSettingsTests
{
    [Fact]
    public void Every_limit_can_be_set()
    {
        var (settings, problems) = Read(
            ("Limits:JsonDepth", "32"), ("Limits:RequestLineBytes", "4096"), ("Limits:HeaderBytes", "8192"), ("Limits:HeaderCount", "50"),
            ("Limits:HeaderTimeout", "00:00:05"), ("Limits:BodyBytesPerSecond", "0"), ("Limits:Connections", "1000"), ("Limits:Streams", "7"),
            ("Limits:RequestsPerSecond", "20"), ("Limits:RequestBurst", "60"), ("Limits:Batch", "100"), ("Limits:Steps", "500"), ("Limits:LogBytes", "1000"), ("Limits:Backlog", "10000"),
            ("IdempotencyRetention", "02:00:00"), ("DataProtection:KeyRing", "/keys"), ("DataProtection:Secret", "sixteen letters!"),
            ("DataProtection:PreviousSecret", "sixteen letters?"));

        Assert.Empty(problems);
        Assert.Equal(
            new LimitSettings
            {
                JsonDepth = 32,
                RequestLineBytes = 4096,
                HeaderBytes = 8192,
                HeaderCount = 50,
                HeaderTimeout = TimeSpan.FromSeconds(5),
                BodyBytesPerSecond = 0,
                Connections = 1000,
                Streams = 7,
                RequestsPerSecond = 20,
                RequestBurst = 60,
                Batch = 100,
                Steps = 500,
                LogBytes = 1000,
                Backlog = 10_000,
            },
            settings.Limits);
        Assert.Equal(TimeSpan.FromHours(2), settings.IdempotencyRetention);
        Assert.Equal(new DataProtectionSettings { KeyRing = "/keys", Secret = "sixteen letters!", PreviousSecret = "sixteen letters?" }, settings.DataProtection);
    }

    [Fact]
    public void A_message_names_each_wrong_limit_and_repeats_no_secret()
    {
        var (_, problems) = Read(
            ("Limits:JsonDepth", "65"), ("Limits:Batch", "0"), ("Limits:Steps", "20001"), ("Limits:Backlog", "-1"), ("DataProtection:Secret", "hunter2"),
            ("DataProtection:PreviousSecret", "hunter3"));

        Assert.Equal(6, problems.Count);
        Assert.Contains("Broker:Limits:JsonDepth: '65' is not allowed; write a whole number from 8 to 64.", problems);
        Assert.DoesNotContain(problems, problem => problem.Contains("hunter", StringComparison.Ordinal));
    }

    private static SettingsReading Read(params (string Key, string Value)[] values) => SettingsReader.Read(new ConfigurationBuilder()
        .AddInMemoryCollection(values.Select(v => KeyValuePair.Create($"Broker:{v.Key}", (string?)v.Value))).Build());
}
