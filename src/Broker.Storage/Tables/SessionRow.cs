using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Broker.Storage.Tables;

/// <summary>A browser that signed in.</summary>
internal sealed class SessionRow
{
    public required string Id { get; set; }

    /// <summary>SHA-256 of the token, hexadecimal.</summary>
    public required string Hash { get; set; }
    public required string KeyId { get; set; }
    public required string Agent { get; set; }
    public long CreatedAt { get; set; }
    public long SeenAt { get; set; }
    public long ExpiresAt { get; set; }

    public static void Map(EntityTypeBuilder<SessionRow> session)
    {
        session.ToTable("ui_session");
        session.HasIndex(s => s.Hash).IsUnique();

        // Serves the bound of sessions of a key.
        session.HasIndex(s => new { s.KeyId, s.CreatedAt });
    }
}
