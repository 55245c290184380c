namespace Broker.Storage.Tables;

internal sealed class ApiKeyRow
{
    public required string Id { get; set; }
    public required string Name { get; set; }

    /// <summary>SHA-256 of the whole key, hexadecimal.</summary>
    public required string Hash { get; set; }

    /// <summary>JSON array of words.</summary>
    public required string Scopes { get; set; }

    /// <summary>JSON array of names; null: every workflow.</summary>
    public string? Workflows { get; set; }
    public long CreatedAt { get; set; }
    public long? LastUsedAt { get; set; }
    public long? RevokedAt { get; set; }
}

internal sealed class AuditRow
{
    public long Id { get; set; }
    public long At { get; set; }
    public required string KeyId { get; set; }
    public required string Action { get; set; }
    public string? Workflow { get; set; }
    public string? InstanceId { get; set; }
    public string? Detail { get; set; }
}
