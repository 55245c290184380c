using System.Data.Common;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using Broker.Auth;
using Broker.Settings;
using Broker.Storage.Contracts;
using Microsoft.Data.Sqlite;

namespace Broker.Startup;

/// <summary>Message for a fault of the settings or of the machine that ends a start. A fault of the program itself has none and keeps its stack trace.</summary>
internal static class StartFaults
{
    // SQLite's result codes.
    private const int CannotOpen = 14, ReadOnly = 8, Full = 13, IoError = 10, Corrupt = 11, NotADatabase = 26;

    /// <summary>Null for any other fault.</summary>
    public static string? MessageOf(Exception fault, BrokerSettings? settings = null) => fault switch
    {
        _ when fault.FindInner<StoreUnavailableException>() is { } unavailable => unavailable.Message,
        StartRefusedException or SchemaMismatchException or DatabaseInUseException => fault.Message,
        _ when fault.FindInner<SqliteException>() is { } sqlite => $"The database file {FileOf(settings)} cannot be used: {Reason(sqlite)}. Set DATABASE_URL=sqlite:PATH to a file that this user may write.",
        _ when fault.FindInner<DbException>() is { } refused => $"The database cannot be used: {refused.Message} Check DATABASE_URL.",
        _ when fault.FindInner<SocketException>() is { } socket =>
            $"The broker cannot listen on {settings?.Host}, port {settings?.Port}: {socket.Message}. Set HOST to an address of this machine and PORT to a port that this user may open.",
        _ when fault.FindInner<InvalidDataException>() is { } configuration => $"The configuration cannot be read: {Chain(configuration)}",
        _ when fault.FindInner<CryptographicException>() is not null || fault.FindInner<AuthenticationException>() is not null => $"A certificate cannot be used: {Chain(fault)}",
        _ when fault.FindInner<UnauthorizedAccessException>() is { } denied => $"The broker cannot start: {denied.Message} Give this user the right, or write another place into the settings.",
        IOException or InvalidOperationException or ArgumentException or FormatException or NotSupportedException or TimeoutException => $"The broker cannot start: {Chain(fault)}",
        _ => null,
    };

    private static string Reason(SqliteException fault) => fault.SqliteErrorCode switch
    {
        CannotOpen => "it cannot be opened or made (the folder must exist and be writable)",
        ReadOnly => "it, or its folder, is read-only",
        Full => "the disk is full",
        IoError => "reading or writing it failed",
        Corrupt or NotADatabase => "it is no intact SQLite database",
        _ => fault.Message,
    };

    private static string FileOf(BrokerSettings? settings) => settings?.Target().SqlitePath is { } path ? Path.GetFullPath(path) : "";

    // The outer message often says where, and the inner one why.
    private static string Chain(Exception fault)
    {
        var messages = new List<string>();
        for (var at = fault; at is not null; at = at.InnerException)
        {
            if (!messages.Exists(said => said.Contains(at.Message, StringComparison.Ordinal))) messages.Add(at.Message);
        }

        return string.Join(' ', messages);
    }
}
