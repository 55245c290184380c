using Broker.Storage.Contracts;

namespace Broker.Settings;

internal static partial class SettingsReader
{
    private static readonly Accelerators[] EachAccelerator = [.. Enum.GetValues<Accelerators>().Where(one => one is not (Accelerators.None or Accelerators.All))];

    private static Setting[] StorageKeys =>
    [
        new("Storage:Accelerators", (settings, text) => settings with { Storage = settings.Storage with { Accelerators = ReadAccelerators(text) } }),
    ];

    private static Accelerators ReadAccelerators(string text)
    {
        if (text.Equals(nameof(Accelerators.None), StringComparison.OrdinalIgnoreCase)) return Accelerators.None;
        if (text.Equals(nameof(Accelerators.All), StringComparison.OrdinalIgnoreCase)) return Accelerators.All;
        var on = Accelerators.None;
        foreach (var name in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            on |= Array.Find(EachAccelerator, one => name.Equals(one.ToString(), StringComparison.OrdinalIgnoreCase)) is var known and not Accelerators.None
                ? known
                : throw new FormatException($"All, None, or a comma list of those that are on: {string.Join(", ", EachAccelerator)}");
        }

        return on;
    }
}
