using Broker.Core.Definitions;

namespace Broker.Settings;

internal static partial class SettingsReader
{
    private const int Million = 1_000_000;

    private static Setting[] LimitKeys =>
    [
        Limit("JsonDepth", (limits, text) => limits with { JsonDepth = Whole(text, 8, 64) }),
        Limit("RequestLineBytes", (limits, text) => limits with { RequestLineBytes = Whole(text, 1024, Million) }),
        Limit("HeaderBytes", (limits, text) => limits with { HeaderBytes = Whole(text, 1024, Million) }),
        Limit("HeaderCount", (limits, text) => limits with { HeaderCount = Whole(text, 10, 10_000) }),
        Limit("HeaderTimeout", (limits, text) => limits with { HeaderTimeout = Span(text, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10)) }),
        Limit("BodyBytesPerSecond", (limits, text) => limits with { BodyBytesPerSecond = Whole(text, 0, Million) }),
        Limit("BodyBytes", (limits, text) => limits with { BodyBytes = Whole(text, 0, int.MaxValue) }),
        Limit("Connections", (limits, text) => limits with { Connections = Whole(text, 0, Million) }),
        Limit("Streams", (limits, text) => limits with { Streams = Whole(text, 0, Million) }),
        Limit("RequestsPerSecond", (limits, text) => limits with { RequestsPerSecond = Whole(text, 0, Million) }),
        Limit("RequestBurst", (limits, text) => limits with { RequestBurst = Whole(text, 0, Million) }),
        Limit("Batch", (limits, text) => limits with { Batch = Whole(text, 1, 1000) }),
        Limit("LogBytes", (limits, text) => limits with { LogBytes = Whole(text, 0, int.MaxValue) }),
        Limit("Steps", (limits, text) => limits with { Steps = Whole(text, 1, WorkflowDefinition.MaxSteps) }),
        Limit("Versions", (limits, text) => limits with { Versions = Whole(text, 0, Million) }),
        Limit("Backlog", (limits, text) => limits with { Backlog = Whole(text, 0, Million) }),
        new("IdempotencyRetention", (settings, text) => settings with { IdempotencyRetention = Span(text, TimeSpan.FromMinutes(1), TimeSpan.FromDays(365)) }),
        Protection("KeyRing", (protection, text) => protection with { KeyRing = text }),
        Protection("Secret", (protection, text) => protection with { Secret = Secret(text) }),
        Protection("PreviousSecret", (protection, text) => protection with { PreviousSecret = Secret(text) }),
    ];

    private static Setting Limit(string name, Func<LimitSettings, string, LimitSettings> apply) =>
        new($"Limits:{name}", (settings, text) => settings with { Limits = apply(settings.Limits, text) });

    private static Setting Protection(string name, Func<DataProtectionSettings, string, DataProtectionSettings> apply) =>
        new($"DataProtection:{name}", (settings, text) => settings with { DataProtection = apply(settings.DataProtection, text) });

    private static string Secret(string text) => text.Length >= DataProtectionSettings.ShortestSecret
        ? text
        : throw new FormatException($"a random text of {DataProtectionSettings.ShortestSecret} characters or more, the same for all brokers on one database");
}
