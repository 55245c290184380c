using System.Collections.Frozen;
using System.IO.Compression;
using System.Reflection;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Broker.Ui.Routing;

/// <summary>Style sheet, scripts and icons of the console. They are inside the assembly, so that it serves them from every working directory.</summary>
internal static class ConsoleAssets
{
    private const string Folder = "assets/";

    private static readonly FrozenDictionary<string, Asset> All = Read();

    /// <summary>Hash of all of them: it is in their addresses, so browsers may keep them for good.</summary>
    public static string Version { get; } = VersionOf(All);

    /// <summary>Answers with an asset; 404 for any other name. An address with an old version gets the present file, unkept.</summary>
    public static async Task SendAsync(HttpContext http, string version, string name)
    {
        if (!All.TryGetValue(name, out var asset))
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        var packs = http.Request.Headers.AcceptEncoding.ToString().Contains("br", StringComparison.OrdinalIgnoreCase);
        var headers = http.Response.Headers;
        headers.CacheControl = version == Version ? "public, max-age=31536000, immutable" : "no-cache";
        headers.Vary = HeaderNames.AcceptEncoding;
        if (packs) headers.ContentEncoding = "br";
        http.Response.ContentType = asset.Type;
        var bytes = packs ? asset.Packed : asset.Plain;
        http.Response.ContentLength = bytes.Length;
        await http.Response.Body.WriteAsync(bytes, http.RequestAborted);
    }

    private static FrozenDictionary<string, Asset> Read()
    {
        var assembly = Assembly.GetExecutingAssembly();
        return assembly.GetManifestResourceNames().Where(name => name.StartsWith(Folder, StringComparison.Ordinal)).ToFrozenDictionary(name => name[Folder.Length..], name =>
        {
            using var stream = assembly.GetManifestResourceStream(name)!;
            using var plain = new MemoryStream();
            stream.CopyTo(plain);
            using var packed = new MemoryStream();
            using (var brotli = new BrotliStream(packed, CompressionLevel.SmallestSize, leaveOpen: true)) brotli.Write(plain.GetBuffer(), 0, (int)plain.Length);
            return new Asset(plain.ToArray(), packed.ToArray(), TypeOf(name));
        });
    }

    private static string TypeOf(string name) => Path.GetExtension(name) switch
    {
        ".css" => "text/css; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".svg" => "image/svg+xml",
        _ => "application/octet-stream",
    };

    private static string VersionOf(FrozenDictionary<string, Asset> assets)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (_, asset) in assets.OrderBy(asset => asset.Key, StringComparer.Ordinal)) hash.AppendData(asset.Plain);
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..12];
    }

    private sealed record Asset(byte[] Plain, byte[] Packed, string Type);
}
