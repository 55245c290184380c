using Broker.Testing;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;

namespace Broker.Tests.Host;

/// <summary>The program as it is started, on a port of its own and an empty SQLite file.</summary>
public sealed class WholeHost : WebApplicationFactory<Program>
{
    private readonly TempFolder folder = new();

    public WholeHost()
    {
        UseKestrel(0);
        StartServer();
    }

    public HttpClient Client => CreateDefaultClient();

    protected override void ConfigureWebHost(IWebHostBuilder builder) => builder
        .UseSetting("PORT", "0")
        .UseSetting("DATABASE_URL", $"sqlite:{Path.Combine(folder.Path, "broker.db")}");

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing) folder.Dispose();
    }
}
