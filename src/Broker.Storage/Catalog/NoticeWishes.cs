using Broker.Storage.Contracts;

namespace Broker.Storage.Catalog;

/// <summary>Read by each transaction of the hot path, replaced when a subscription changes.</summary>
internal sealed class NoticeWishes : INoticeWishes
{
    private volatile IReadOnlyList<NoticeWish> all = [];

    public IReadOnlyList<NoticeWish> All
    {
        get => all;
        set => all = value;
    }

    /// <summary>Kinds that are asked for about runs of a workflow.</summary>
    public static NoticeKinds Of(IReadOnlyList<NoticeWish> wishes, string workflow)
    {
        var kinds = NoticeKinds.None;
        foreach (var wish in wishes)
        {
            if (wish.Workflows?.Contains(workflow) is not false) kinds |= wish.Kinds;
        }

        return kinds;
    }
}
