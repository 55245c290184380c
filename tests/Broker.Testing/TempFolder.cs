namespace Broker.Testing;

/// <summary>An empty folder that is deleted with its content on dispose.</summary>
public sealed class TempFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("broker-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
