using Broker.Storage.Contracts;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Broker.Storage.Tables;

/// <summary>A subscription: where notices are sent, and which.</summary>
internal sealed class WebhookRow
{
    public required string Id { get; set; }
    public required string Url { get; set; }

    /// <summary>Kinds of notices, as flags.</summary>
    public int Events { get; set; }

    /// <summary>Expression that chooses the runs; null: all.</summary>
    public string? Choice { get; set; }

    /// <summary>Encrypted.</summary>
    public required string Secret { get; set; }
    public bool IsEnabled { get; set; }
    public string? DisabledBecause { get; set; }

    /// <summary>Failed attempts since the last one that succeeded.</summary>
    public int Failures { get; set; }
    public long? FailingSince { get; set; }
    public required string KeyId { get; set; }
    public long CreatedAt { get; set; }
    public long UpdatedAt { get; set; }

    public static void Map(EntityTypeBuilder<WebhookRow> webhook) =>
        webhook.ToTable("webhook", table => table.HasCheckConstraint("ck_webhook_events", "events > 0 AND failures >= 0"));
}

/// <summary>A notice on its way to one subscription, and afterwards the log of it.</summary>
internal sealed class WebhookDeliveryRow
{
    public long Id { get; set; }
    public required string WebhookId { get; set; }

    /// <summary>Id that the receiver sees, the same with each attempt.</summary>
    public required string MessageId { get; set; }
    public required string Type { get; set; }
    public required string Body { get; set; }
    public short Phase { get; set; }
    public int Attempts { get; set; }

    /// <summary>Attempts since it was queued, or queued again.</summary>
    public int Tries { get; set; }
    public long CreatedAt { get; set; }

    /// <summary>No attempt before; while an attempt is under way, the end of its lease.</summary>
    public long Due { get; set; }

    /// <summary>The broker whose attempt is under way.</summary>
    public string? Owner { get; set; }
    public int? StatusCode { get; set; }
    public string? Error { get; set; }
    public int? TookMs { get; set; }
    public long? EndedAt { get; set; }

    public static void Map(EntityTypeBuilder<WebhookDeliveryRow> delivery)
    {
        delivery.ToTable("webhook_delivery", table => table.HasCheckConstraint("ck_webhook_delivery_phase", $"phase BETWEEN {(int)DeliveryPhase.Pending} AND {(int)DeliveryPhase.Failed}"));

        // A notice that is sent again is not delivered again.
        delivery.HasIndex(d => new { d.WebhookId, d.MessageId }).IsUnique();

        // Serves the log of one subscription.
        delivery.HasIndex(d => new { d.WebhookId, d.Id });

        // Serves the look for what is due: as small as what is on its way.
        delivery.HasIndex(d => d.Due, "ix_webhook_delivery_due").HasFilter($"phase = {(int)DeliveryPhase.Pending}");
    }
}
