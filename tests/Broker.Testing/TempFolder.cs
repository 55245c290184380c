namespace Broker.Testing;

/// <summary>An empty folder that is deleted with its content on dispose.</summary>
public sealed class TempFolder : IDisposable
{
    private const int Attempts = 50;

    public string Path { get; } = Directory.CreateTempSubdirectory("broker-").FullName;

    public void Dispose()
    {
        // Children of a killed browser end later than the browser and may write a file between two steps of a deletion.
        for (var attempt = 1; Directory.Exists(Path); attempt++)
        {
            try
            {
                Directory.Delete(Path, recursive: true);
            }
            catch (IOException) when (attempt < Attempts)
            {
                Thread.Yield();
            }
        }
    }
}
