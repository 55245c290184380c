using Microsoft.Extensions.Primitives;

namespace Broker.Settings;

/// <summary>
/// Configuration that notes which keys its readers ask for. A key of the section <c>Broker</c> that no reader asked for is a typing error:
/// so the readers themselves are the only list of settings.
/// </summary>
internal sealed class ReadKeys(IConfiguration inner) : IConfiguration
{
    private const string Root = "Broker";

    private readonly HashSet<string> read = new(StringComparer.OrdinalIgnoreCase);

    public string? this[string key]
    {
        get
        {
            read.Add(key);
            return inner[key];
        }
        set => inner[key] = value;
    }

    /// <summary>Keys of the section that a reader asked for.</summary>
    public IEnumerable<string> Known => read.Where(key => key.StartsWith($"{Root}:", StringComparison.OrdinalIgnoreCase));

    public IConfigurationSection GetSection(string key) => new Section(this, inner.GetSection(key));

    public IEnumerable<IConfigurationSection> GetChildren() => inner.GetChildren().Select(child => new Section(this, child));

    public IChangeToken GetReloadToken() => inner.GetReloadToken();

    /// <summary>A sentence for each key that has a value and was not read.</summary>
    public IEnumerable<string> Problems() => inner.GetSection(Root).AsEnumerable()
        .Where(pair => pair.Value is not null && !read.Contains(pair.Key))
        .Select(pair => pair.Key).Order(StringComparer.Ordinal)
        .Select(key => NearestKey.To(key, Known) is { } nearest
            ? $"{key}: no setting has this name; did you mean {nearest} ({Variable(nearest)} in the environment)?"
            : $"{key}: no setting has this name ({Variable(key)} in the environment); docs/configuration.md lists all.");

    private static string Variable(string key) => key.Replace(":", "__", StringComparison.Ordinal);

    private sealed class Section(ReadKeys owner, IConfigurationSection inner) : IConfigurationSection
    {
        public string Key => inner.Key;

        public string Path => inner.Path;

        public string? Value
        {
            get
            {
                owner.read.Add(inner.Path);
                return inner.Value;
            }
            set => inner.Value = value;
        }

        public string? this[string key]
        {
            get
            {
                owner.read.Add(ConfigurationPath.Combine(inner.Path, key));
                return inner[key];
            }
            set => inner[key] = value;
        }

        public IConfigurationSection GetSection(string key) => new Section(owner, inner.GetSection(key));

        public IEnumerable<IConfigurationSection> GetChildren() => inner.GetChildren().Select(child => new Section(owner, child));

        public IChangeToken GetReloadToken() => inner.GetReloadToken();
    }
}
