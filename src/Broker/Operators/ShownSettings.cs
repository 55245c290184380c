using System.Collections;
using System.Globalization;
using System.Reflection;
using Broker.Settings;

namespace Broker.Operators;

/// <summary>Settings as an administrator may see them: without passwords, and without what protects stored credentials.</summary>
internal static class ShownSettings
{
    private const string Masked = "***";

    public static IReadOnlyList<SettingValue> Of(BrokerSettings settings) =>
    [
        new("Database", settings.Target().Name),
        .. Of(settings, "").Where(setting => setting.Name != nameof(BrokerSettings.DatabaseUrl)),
        .. Of(settings.Limits, "Limits:"),
        .. Of(settings.Storage, "Storage:"),
    ];

    private static IEnumerable<SettingValue> Of(object settings, string prefix) =>
        from property in settings.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance)
        let value = property.GetValue(settings)
        where value is null or string or bool or TimeSpan or Enum or int or long or IEnumerable
        orderby property.Name
        select new SettingValue(prefix + property.Name, IsSecret(property.Name) ? Masked : TextOf(value));

    private static bool IsSecret(string name) => ((string[])["Password", "Secret", "Certificate", "Hash"]).Any(word => name.Contains(word, StringComparison.OrdinalIgnoreCase));

    private static string TextOf(object? value) => value switch
    {
        null => "",
        string text => text,
        IEnumerable list => string.Join(", ", list.Cast<object?>().Select(TextOf)),
        _ => string.Format(CultureInfo.InvariantCulture, "{0}", value),
    };
}
